//! Pages of lists.

use std::fmt::Debug;

use serde::Deserialize;

/// One page of a list.
pub trait Page: for<'de> Deserialize<'de> + Debug + Send + Sync + 'static {
    /// What it lists.
    type Item;
    /// The member or parameter that carries the token into the next call.
    const TOKEN: &'static str;
    /// The items, and the token of the next page.
    fn into_items(self) -> (Vec<Self::Item>, Option<String>);
}

/// `page!(ListDetectors { "detectorIds": Vec<String> }, "nextToken");` declares the struct of a page
/// whose list must be there: an answer without it is no empty list.
macro_rules! page {
    ($(#[$doc:meta])* $name:ident { $list:literal: $item:ty }, $token:literal) => {
        $(#[$doc])*
        #[derive(Debug, serde::Deserialize)]
        struct $name {
            #[serde(rename = $list)]
            items: Vec<$item>,
            #[serde(rename = $token)]
            next: Option<String>,
        }

        impl $crate::aws::small::page::Page for $name {
            type Item = $item;
            const TOKEN: &'static str = $token;

            fn into_items(self) -> (Vec<Self::Item>, Option<String>) {
                (self.items, self.next)
            }
        }
    };
}
pub(in crate::aws) use page;
