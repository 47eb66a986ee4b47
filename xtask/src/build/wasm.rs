//! Reads a wasm file section by section: enough to leave a custom section out and to say how large each function is. It does not
//! check what it reads, which compilers wrote.

use crate::run::{Error, Outcome};

const CUSTOM: u8 = 0;
const IMPORT: u8 = 2;
const CODE: u8 = 10;
/// Magic number and version.
const HEAD: usize = 8;

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or_else(|| Error::new("a wasm file ends early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Outcome<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// An unsigned LEB128 number.
    fn number(&mut self) -> Outcome<usize> {
        let (mut value, mut shift) = (0_usize, 0_u32);
        loop {
            let byte = self.byte()?;
            value |= usize::from(byte & 0x7f).checked_shl(shift).unwrap_or_default();
            shift += 7;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
    }

    fn bytes(&mut self) -> Outcome<&'a [u8]> {
        let length = self.number()?;
        self.take(length)
    }

    fn text(&mut self) -> Outcome<String> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }
}

/// Calls `each` with the id, the whole and the contents of every section.
fn sections<'a>(wasm: &'a [u8], mut each: impl FnMut(u8, &'a [u8], Reader<'a>) -> Outcome) -> Outcome {
    let mut reader = Reader { rest: wasm };
    reader.take(HEAD)?;
    while !reader.rest.is_empty() {
        let from = reader.rest;
        let id = reader.byte()?;
        let contents = reader.bytes()?;
        let whole = from.get(..from.len() - reader.rest.len()).unwrap_or_default();
        each(id, whole, Reader { rest: contents })?;
    }
    Ok(())
}

/// The file without the custom section of that name.
pub(crate) fn without(wasm: &[u8], name: &str) -> Outcome<Vec<u8>> {
    let mut left = wasm.get(..HEAD).unwrap_or_default().to_vec();
    sections(wasm, |id, whole, mut contents| {
        if id != CUSTOM || contents.text()? != name {
            left.extend_from_slice(whole);
        }
        Ok(())
    })?;
    Ok(left)
}

/// Name and bytes of every function, the largest first; of a file that still has its names.
pub(crate) fn functions(wasm: &[u8]) -> Outcome<Vec<(String, usize)>> {
    let (mut imported, mut sizes, mut names) = (0, Vec::new(), Vec::new());
    sections(wasm, |id, _, mut contents| {
        match id {
            IMPORT => imported = imported_functions(&mut contents)?,
            CODE => {
                for _ in 0..contents.number()? {
                    sizes.push(contents.bytes()?.len());
                }
            }
            CUSTOM if contents.text()? == "name" => {
                while !contents.rest.is_empty() {
                    let (kind, mut part) = (contents.byte()?, Reader { rest: contents.bytes()? });
                    for _ in 0..if kind == 1 { part.number()? } else { 0 } {
                        names.push((part.number()?, part.text()?));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    let mut functions: Vec<(String, usize)> = names
        .into_iter()
        .filter_map(|(index, name)| Some((name, *sizes.get(index.checked_sub(imported)?)?)))
        .collect();
    functions.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(functions)
}

fn imported_functions(contents: &mut Reader<'_>) -> Outcome<usize> {
    let mut functions = 0;
    for _ in 0..contents.number()? {
        contents.bytes()?;
        contents.bytes()?;
        match contents.byte()? {
            0 => {
                contents.number()?;
                functions += 1;
            }
            // Tables have a type before their limits; memories have limits only; globals a type and whether they change.
            kind @ (1 | 2) => {
                if kind == 1 {
                    contents.byte()?;
                }
                let flags = contents.byte()?;
                for _ in 0..1 + (flags & 1) {
                    contents.number()?;
                }
            }
            _ => {
                contents.take(2)?;
            }
        }
    }
    Ok(functions)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One imported function, two of its own (of 2 and 4 bytes) with names, and a section "gone".
    fn sample() -> Vec<u8> {
        let mut wasm = b"\0asm\x01\0\0\0".to_vec();
        wasm.extend([1, 4, 1, 0x60, 0, 0]);
        wasm.extend([2, 7, 1, 1, b'a', 1, b'b', 0, 0]);
        wasm.extend([3, 3, 2, 0, 0]);
        wasm.extend([10, 9, 2, 2, 0, 0x0b, 4, 0, 1, 1, 0x0b]);
        wasm.extend([0, 5, 4, b'g', b'o', b'n', b'e']);
        wasm.extend([0, 16, 4, b'n', b'a', b'm', b'e', 1, 9, 2, 1, 2, b's', b'm', 2, 2, b'b', b'g']);
        wasm
    }

    #[test]
    fn functions_are_named_and_measured_behind_the_imports() {
        let found = functions(&sample()).unwrap();
        assert_eq!(found, [("bg".to_owned(), 4), ("sm".to_owned(), 2)]);
    }

    #[test]
    fn one_section_is_left_out_and_nothing_else() {
        let left = without(&sample(), "gone").unwrap();
        assert_eq!(left.len(), sample().len() - 7);
        assert_eq!(functions(&left).unwrap(), functions(&sample()).unwrap());
        assert_eq!(without(&sample(), "absent").unwrap(), sample());
        assert!(functions(&sample()[..20]).is_err(), "half a file is an error");
    }
}
