// The floor of a visit without a cart: read the body, parse the JSON, answer JSON. Nothing is kept.

export default {
  async fetch(request) {
    const batch = JSON.parse(await request.text());
    return Response.json({ cart: null, events: batch.events.length });
  },
};
