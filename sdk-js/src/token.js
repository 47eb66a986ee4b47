/** Takes the token that a resume link adds to the shop's page out of the address, and returns it. First of all: it must not
 *  reach analytics, referrers or events. What else is in the address stays as it was written. */
export function restoreToken() {
  let token;
  const address = location.href.replace(/([?&])comeback_restore=([^&#]*)(&?)/, (all, before, value, after) => ((token = value), after && before));
  try {
    if (token) history.replaceState(history.state, '', address);
  } catch {
    // Some browsers bound how often a page may.
  }
  return token;
}
