// A Vendure server for the tests: a small catalogue, payments that settle by themselves, and our webhooks plugin.
// PORT, DATABASE (a URL), WEBHOOK (a URL) and SECRET come by the environment; FILL makes the catalogue first.
const path = require('path');
const core = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const { DomWebhooks } = require(process.env.PLUGIN);

const config = {
  apiOptions: { port: Number(process.env.PORT), adminApiPath: 'admin-api', shopApiPath: 'shop-api' },
  authOptions: {
    tokenMethod: ['bearer', 'cookie'], requireVerification: false,
    superadminCredentials: { identifier: 'superadmin', password: 'superadmin' }, cookieOptions: { secret: 'tests' },
  },
  dbConnectionOptions: { type: 'postgres', url: process.env.DATABASE, synchronize: true, logging: false },
  paymentOptions: { paymentMethodHandlers: [core.dummyPaymentHandler] },
  importExportOptions: { importAssetsDir: process.cwd() },
  logger: new core.DefaultLogger({ level: core.LogLevel.Warn }),
  plugins: [DomWebhooks.to(process.env.WEBHOOK, process.env.SECRET)],
};

const data = {
  defaultLanguage: 'en', defaultZone: 'Europe', collections: [], roles: [],
  countries: [{ name: 'United Kingdom', code: 'GB', zone: 'Europe' }],
  taxRates: [{ name: 'Zero', percentage: 0 }],
  shippingMethods: [{ name: 'Standard', price: 395 }],
  paymentMethods: [{ name: 'Card', handler: { code: 'dummy-payment-handler', arguments: [
    { name: 'automaticSettle', value: 'true' }] } }],
};

(async () => {
  const app = process.env.FILL
    ? await populate(() => core.bootstrap(config), data, path.join(__dirname, 'products.csv'))
    : await core.bootstrap(config);
  process.on('SIGTERM', () => app.close().then(() => process.exit(0)));
  console.log('ready');
})().catch(error => { console.error(error); process.exit(1); });
