// Amounts by samples are what the formatter of the platform writes.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { like, unit } from '../src/money.js';

const LOCALES = ['en-GB', 'de-DE', 'de-CH', 'fr-FR', 'nl-NL', 'sv-SE', 'hi-IN', 'en-IN', 'ja-JP', 'ar-EG', 'fa-IR', 'he-IL', 'hu-HU', 'tr-TR', 'bn-BD', 'mr-IN', 'es-ES', 'pl-PL', 'pt-PT', 'it-IT'];
const CURRENCIES = ['EUR', 'USD', 'HUF', 'JPY', 'KWD', 'INR', 'SEK', 'CLP'];

const groupedFrom = (locale) => (/\P{Nd}/u.test(new Intl.NumberFormat(locale).format(1234)) ? 4 : 5);

test('a number is written as its sample is', () => {
  for (const locale of LOCALES) {
    for (const currency of CURRENCIES) {
      const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
      const sample = format.format(1234567890.12);
      const grouped = groupedFrom(locale);
      for (const value of [0, 0.5, 1, 9.99, 12.5, 75, 999, 1000, 1234.5, 9999.99, 10000, 12345.67, 123456.7, 1234567, 98765432.1, 1234567890.12]) {
        assert.equal(like(sample, value, grouped), format.format(value), `${locale} ${currency} ${value}`);
      }
    }
    const plain = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
    assert.equal(like(plain.format(1234567890), 37), plain.format(37), locale);
    const percent = new Intl.NumberFormat(locale, { style: 'percent' });
    assert.equal(like(percent.format(12345678.9), 15), percent.format(0.15), locale);
  }
});

test('a minor unit is what ISO 4217 says, where a browser goes by what is usual', () => {
  const { whole, thousandths } = JSON.parse(readFileSync(new URL('../../tests/vectors/currencies.json', import.meta.url), 'utf8'));
  assert.deepEqual([whole, thousandths].map((codes) => [...new Set(codes.map(unit))]), [[1], [1000]]);
  const others = Intl.supportedValuesOf('currency').filter((code) => ![...whole, ...thousandths].includes(code));
  assert.ok(others.includes('HUF') && others.every((code) => unit(code) === 100));
});
