//! Where in an object we are: a path built on the stack while walking, written out only when something is wrong.

use std::fmt::{self, Write};

/// One step below its parent; [`Path::Root`] is the object itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    /// The key of a map, written `[key]`.
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    pub(crate) fn field(&'a self, name: &'a str) -> Path<'a> {
        Path::Field(self, name)
    }

    pub(crate) fn key(&'a self, key: &'a str) -> Path<'a> {
        Path::Key(self, key)
    }

    pub(crate) fn index(&'a self, index: usize) -> Path<'a> {
        Path::Index(self, index)
    }

    /// As the schema checks name places: map keys after a dot, nothing for the root.
    pub(crate) fn dotted(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut text, true);
        text
    }

    fn write(&self, out: &mut impl Write, dotted: bool) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key(parent, key) if !dotted => {
                parent.write(out, dotted)?;
                write!(out, "[{key}]")
            }
            Path::Field(parent, name) | Path::Key(parent, name) => {
                parent.write(out, dotted)?;
                if !matches!(parent, Path::Root) {
                    out.write_char('.')?;
                }
                out.write_str(name)
            }
            Path::Index(parent, index) => {
                parent.write(out, dotted)?;
                write!(out, "[{index}]")
            }
        }
    }
}

/// As `Status` causes name fields; the root is `<nil>`.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => f.write_str("<nil>"),
            Path::Field(..) | Path::Key(..) | Path::Index(..) => self.write(f, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_kubernetes_writes_them() {
        let root = Path::Root;
        let spec = root.field("spec");
        let ports = spec.field("ports");
        let first = ports.index(0);
        let labels = first.field("labels");
        let key = labels.key("a.b/c");
        assert_eq!(key.to_string(), "spec.ports[0].labels[a.b/c]");
        assert_eq!(key.dotted(), "spec.ports[0].labels.a.b/c");
        assert_eq!(root.to_string(), "<nil>");
        assert_eq!(root.dotted(), "");
    }
}
