//! Writing: the only calls that change anything, and the token without which none of them
//! can be made.

mod security_hub;
mod token;
mod writer;

pub use security_hub::Imported;
pub use token::WriteToken;
pub use writer::Writer;
