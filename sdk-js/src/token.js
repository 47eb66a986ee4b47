/** Takes the token that a resume link adds to the shop's page out of the address, and returns it. First of all: it must not
 *  reach analytics, referrers or events. */
export function restoreToken() {
  const url = new URL(location.href);
  const token = url.searchParams.get('comeback_restore');
  url.searchParams.delete('comeback_restore');
  try {
    if (token) history.replaceState(history.state, '', url);
  } catch {
    // Some browsers bound how often a page may.
  }
  return token;
}
