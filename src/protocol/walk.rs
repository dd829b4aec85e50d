//! Going through a message, whatever it is: to show it, or to change all names of one kind in it.

use bytes::Bytes;

use super::wire::StrBytes;
use crate::model::Uuid;
use crate::record::Records;

/// A field of a struct.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// The struct that has it.
    pub(crate) owner: &'static str,
    /// Kafka's name of it, in snake_case.
    pub(crate) name: &'static str,
    /// The lowest and the highest version that has it.
    pub(crate) versions: (i16, i16),
}

/// Who goes through a message. What it does not care for it need not name.
pub(crate) trait Walker {
    fn begin_struct(&mut self) {}
    fn end_struct(&mut self) {}
    /// Says whether to go into the field; if not, its end is not told.
    fn begin_field(&mut self, _: Field) -> bool {
        true
    }
    fn end_field(&mut self) {}
    fn begin_list(&mut self) {}
    fn begin_element(&mut self) {}
    /// Says whether the element stays in its list.
    fn end_element(&mut self) -> bool {
        true
    }
    fn end_list(&mut self) {}
    fn null(&mut self) {}
    fn boolean(&mut self, _: bool) {}
    fn number(&mut self, _: i64) {}
    fn uuid(&mut self, _: Uuid) {}
    fn string(&mut self, _: &mut StrBytes) {}
    fn bytes(&mut self, _: &mut Bytes) {}
    fn records(&mut self, _: &Records) {}
}

/// A message, or a part of one.
pub(crate) trait Walk {
    /// Tells of all that is in it, in the order of the wire.
    fn walk(&mut self, walker: &mut dyn Walker);
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Walk for $type {
            fn walk(&mut self, walker: &mut dyn Walker) {
                walker.number(i64::from(*self));
            }
        }
    )*};
}

numbers! { i8 i16 i32 i64 }

impl Walk for bool {
    fn walk(&mut self, walker: &mut dyn Walker) {
        walker.boolean(*self);
    }
}

impl Walk for Uuid {
    fn walk(&mut self, walker: &mut dyn Walker) {
        walker.uuid(*self);
    }
}

impl Walk for StrBytes {
    fn walk(&mut self, walker: &mut dyn Walker) {
        walker.string(self);
    }
}

impl Walk for Bytes {
    fn walk(&mut self, walker: &mut dyn Walker) {
        walker.bytes(self);
    }
}

impl Walk for Records {
    fn walk(&mut self, walker: &mut dyn Walker) {
        walker.records(self);
    }
}

impl<T: Walk> Walk for Option<T> {
    fn walk(&mut self, walker: &mut dyn Walker) {
        match self {
            Some(value) => value.walk(walker),
            None => walker.null(),
        }
    }
}

impl<T: Walk> Walk for Vec<T> {
    fn walk(&mut self, walker: &mut dyn Walker) {
        walker.begin_list();
        self.retain_mut(|element| {
            walker.begin_element();
            element.walk(walker);
            walker.end_element()
        });
        walker.end_list();
    }
}
