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

/** A number from 0 on as a sample writes 1234567890.12 (with as many decimal places as are usual). Some languages set
 *  thousands apart only in numbers of so many digits (`grouped`). */
export function like(sample, value, grouped = 4) {
  const marks = [...sample];
  const at = marks.flatMap((mark, index) => (DIGIT.test(mark) ? index : []));
  // The first is a 1.
  const zero = marks[at[0]].codePointAt() - 1;
  const text = value.toFixed(at.length - SAMPLE_DIGITS);
  const digits = [...text.replace('.', '')].map((digit) => String.fromCodePoint(zero + +digit));
  const isMark = (index) => index > at[SAMPLE_DIGITS - 1] || text.split('.')[0].length >= grouped;
  const written = [];
  for (let index = at.at(-1); digits.length; index -= 1) {
    if (index < at[0] || DIGIT.test(marks[index])) written.unshift(digits.pop());
    else if (isMark(index)) written.unshift(marks[index]);
  }
  return [...marks.slice(0, at[0]), ...written, ...marks.slice(at.at(-1) + 1)].join('');
}
