//! The provider, driven by Terraform itself, against a whole Rowhouse. Terraform comes as a package for Python, and is installed once,
//! below the folder of build results.

mod ground;
mod managing;
mod refusing;
