// Stands in for the rate-limit binding. On the platform it is a counter beside the Worker; the local engine simulates it with a
// Durable Object in another Worker, whose price would be measured instead of ours. Named as the platform names the class.

class Ratelimit {
  async limit() {
    return { success: true };
  }
}

export default () => new Ratelimit();
