// Amounts as the reader writes them. Browsers have a formatter, but the first one of a page takes 40 ms of a desk's main
// thread and four times that of a phone's: Chromium looks through all the languages that it knows. So the edge tells how
// this shop's prices are written, by samples.

/** Currencies without a minor unit, and those whose is a thousandth (ISO 4217), as `core::money` has them. What browsers say of
 *  a currency's digits is what is usual in shops: none for forints, which have a hundredth. */
const WHOLE = /^(BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|UYI|VND|VUV|XAF|XOF|XPF)$/;
const THOUSANDTHS = /^(BHD|IQD|JOD|KWD|LYD|OMR|TND)$/;

/** How many minor units one major unit of a currency has. */
export const unit = (currency) => (WHOLE.test(currency) ? 1 : THOUSANDTHS.test(currency) ? 1000 : 100);

/** Digits before the decimal mark of a sample. */
const SAMPLE_DIGITS = 10;
const DIGIT = /\p{Nd}/u;

/** A number as a sample writes 1234567890.12 (with as many decimal places as are usual). */
export function like(sample, value) {
  const marks = [...sample];
  const at = marks.flatMap((mark, index) => (DIGIT.test(mark) ? index : []));
  // The first is a 1.
  const zero = marks[at[0]].codePointAt() - 1;
  const digits = [...value.toFixed(at.length - SAMPLE_DIGITS).replace('.', '')].map((digit) => String.fromCodePoint(zero + +digit));
  const written = [];
  for (let index = at.at(-1); digits.length; index -= 1) written.unshift(index < at[0] || DIGIT.test(marks[index]) ? digits.pop() : marks[index]);
  return [...marks.slice(0, at[0]), ...written, ...marks.slice(at.at(-1) + 1)].join('');
}
