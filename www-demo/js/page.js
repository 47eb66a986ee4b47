// Pages without a script of their own: cart count, privacy bar, and the SDK's adapter and consent.

import './shop.js';
import './tracking.js';
