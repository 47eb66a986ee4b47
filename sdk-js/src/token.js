/** Takes the token that a resume link adds to the shop's page out of the address, and returns it. First of all: it must not
 *  reach analytics, referrers or events. */
export function restoreToken() {
  const { href } = location;
  const [part, token] = /comeback_restore=([\w.-]+)&?/.exec(location.search) || [];
  if (part) history.replaceState(history.state, '', href.replace(part, '').replace(/[?&](#|$)/, '$1'));
  return token;
}
