//! `#[curio::main]`: see the documentation of `curio::main`.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::{Error, ItemFn, parse_macro_input};

/// Makes an `async fn main` the main task of the program.
///
/// The function becomes an ordinary `fn main` that hands its body to `curio::run`. What it returns,
/// `main` returns: `Ok` is exit status 0, `Err` is printed and is exit status 1.
///
/// ```no_run
/// #[curio::main]
/// async fn main() -> curio::Result<()> {
///     curio::sleep(std::time::Duration::from_millis(100)).await?;
///     println!("a tenth of a second later");
///     Ok(())
/// }
/// ```
#[proc_macro_attribute]
pub fn main(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let function = parse_macro_input!(item as ItemFn);
    expand(&arguments.into(), function)
        .unwrap_or_else(Error::into_compile_error)
        .into()
}

fn expand(arguments: &Tokens, mut function: ItemFn) -> Result<Tokens, Error> {
    if !arguments.is_empty() {
        return Err(Error::new_spanned(
            arguments,
            "curio::main takes no arguments",
        ));
    }
    if function.sig.asyncness.take().is_none() {
        let message = "curio::main is for an `async fn`";
        return Err(Error::new_spanned(function.sig.fn_token, message));
    }
    if let Some(input) = function.sig.inputs.first() {
        let message = "the main function takes no arguments; see std::env::args";
        return Err(Error::new_spanned(input, message));
    }
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = function;
    let output = &sig.output;
    Ok(quote! {
        #(#attrs)*
        #vis #sig {
            async fn main() #output #block
            ::curio::run(main())
        }
    })
}
