// A Vendure plugin that tells the order management system which orders changed: add DomWebhooks.to(url, secret) to the
// plugins of vendure-config. It says no more than the order's code; the system asks for its state. Signed after the
// Standard Webhooks specification; the secret is whsec_ and base64.
const { createHmac, randomUUID } = require('crypto');
const core = require('@vendure/core');

class DomWebhooks {
  constructor(eventBus) {
    this.eventBus = eventBus;
  }

  static to(url, secret) {
    DomWebhooks.url = url;
    DomWebhooks.key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    return DomWebhooks;
  }

  onApplicationBootstrap() {
    const about = { orders: core.OrderStateTransitionEvent, refunds: core.RefundStateTransitionEvent };
    for (const [topic, event] of Object.entries(about)) {
      this.eventBus.ofType(event).subscribe(told => this.tell(topic, told.order.code));
    }
  }

  async tell(topic, orderCode, attempt = 1) {
    const id = `vendure-${randomUUID()}`;
    await new Promise(done => setTimeout(done, 200)); // the event comes before its transaction is committed
    await this.post(id, topic, JSON.stringify({ orderCode, topic }), attempt);
  }

  async post(id, topic, body, attempt) {
    const at = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', DomWebhooks.key).update(`${id}.${at}.${body}`).digest('base64');
    const headers = {
      'content-type': 'application/json', 'webhook-topic': topic,
      'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}`,
    };
    try {
      const answer = await fetch(DomWebhooks.url, { method: 'POST', headers, body });
      if (answer.ok) return;
    } catch (error) { /* it is not there now */ }
    if (attempt < 8) setTimeout(() => this.post(id, topic, body, attempt + 1), 1000 * 2 ** attempt);
  }
}
Reflect.defineMetadata('design:paramtypes', [core.EventBus], DomWebhooks);
core.VendurePlugin({ imports: [core.PluginCommonModule] })(DomWebhooks);

module.exports = { DomWebhooks };
