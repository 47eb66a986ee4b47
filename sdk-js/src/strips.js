/** Panels at the lower edge of the page; the others are dialogs. There is one place for each of the two. */
export const STRIP = /^(banner|saved_cart|returning|shipping_progress|push)$/;
