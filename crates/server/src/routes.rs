//! The list of routes. A handler without a gate as its first parameter does not compile here; what each gate asks for is listed.

use std::convert::Infallible;

use aide::OperationOutput;
use aide::axum::ApiRouter;
use aide::axum::routing::{ApiMethodRouter, delete_with, get_with, patch_with, post_with, put_with};
use aide::operation::{OperationHandler, OperationInput};
use aide::transform::TransformOperation;
use axum::handler::Handler;
use axum::http::Method;
use domain::operation::Operation;

use crate::App;
use crate::http::caller::{Access, Gate};
use crate::http::layers;

/// One route, as the documentation and the tests see it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The method.
    pub method: Method,
    /// The path, with `{names}`.
    pub path: &'static str,
    /// What it asks of its caller.
    pub access: Access,
    /// What it costs, if anything.
    pub meter: Option<Operation>,
}

/// The parameters of a handler whose first is a gate.
pub(crate) trait Guarded: OperationInput + Send {
    const ACCESS: Access;
    const METER: Option<Operation>;
}

macro_rules! guarded {
    ($($rest:ident),*) => {
        impl<G: Gate + OperationInput + Send, $($rest: OperationInput + Send),*> Guarded for (G, $($rest,)*) {
            const ACCESS: Access = G::ACCESS;
            const METER: Option<Operation> = G::METER;
        }
    };
}

guarded!();
guarded!(A);
guarded!(A, B);
guarded!(A, B, C);
guarded!(A, B, C, D);

/// Routes being collected.
pub(crate) struct Routes {
    router: ApiRouter<App>,
    listed: Vec<Listed>,
}

macro_rules! methods {
    ($($name:ident $method:ident $with:ident;)+) => {
        $(
            #[doc = concat!("Adds a ", stringify!($method), " route; `about` is its line in the documentation.")]
            pub(crate) fn $name<H, I, O, T>(self, path: &'static str, about: &'static str, handler: H) -> Self
            where
                H: Handler<T, App> + OperationHandler<I, O>,
                I: Guarded,
                O: OperationOutput,
                T: 'static,
            {
                let describe = describe::<I>(Method::$method, path, about);
                self.add(Listed { method: Method::$method, path, access: I::ACCESS, meter: I::METER }, $with(handler, describe))
            }
        )+
    };
}

impl Routes {
    fn new() -> Self {
        Self { router: ApiRouter::new(), listed: Vec::new() }
    }

    methods! {
        get GET get_with;
        post POST post_with;
        put PUT put_with;
        patch PATCH patch_with;
        delete DELETE delete_with;
    }

    /// The bare router.
    pub(crate) fn into_router(self) -> ApiRouter<App> {
        self.router
    }

    fn add(mut self, listed: Listed, route: ApiMethodRouter<App, Infallible>) -> Self {
        self.router = self.router.api_route(listed.path, route);
        self.listed.push(listed);
        self
    }
}

fn describe<I: Guarded>(
    method: Method,
    path: &'static str,
    about: &'static str,
) -> impl FnOnce(TransformOperation<'_>) -> TransformOperation<'_> {
    move |mut operation| {
        let asks = match I::ACCESS {
            Access::Public => "Anybody may call it.".to_owned(),
            Access::Credential => "For anybody with a valid credential.".to_owned(),
            Access::Person => "For anybody who is signed in.".to_owned(),
            Access::Operator => "For operators of the installation.".to_owned(),
            Access::Organisation(permission) => format!("Needs `{permission}` at the organisation."),
            Access::Local(permission) => {
                format!("Needs `{permission}` at the organisation, or at the team or project it is about.")
            }
        };
        let asks = match I::METER {
            Some(meter) => format!("{asks} Rate limits count it as `{meter}`."),
            None => asks,
        };
        let inner = operation.inner_mut();
        let tag = path.trim_start_matches("/api/v1/").split('/').next().unwrap_or("").to_owned();
        let name = path.trim_start_matches("/api/v1/").replace(['/', '-', '.'], "_").replace(['{', '}'], "");
        inner.operation_id = Some(format!("{}_{name}", method.as_str().to_lowercase()));
        inner.tags = vec![tag];
        for parameter in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            inner.parameters.push(crate::openapi::path_parameter(parameter));
        }
        inner.extensions.insert("x-access".to_owned(), I::ACCESS.name().into());
        if let Access::Organisation(permission) | Access::Local(permission) = I::ACCESS {
            inner.extensions.insert("x-permission".to_owned(), permission.to_string().into());
        }
        if I::ACCESS != Access::Public {
            inner.security = vec![std::iter::once(("bearer".to_owned(), Vec::new())).collect()];
        }
        operation.summary(about).description(&asks)
    }
}

/// The router of the whole API, and the list of its routes.
pub fn router(app: &App) -> (axum::Router, Vec<Listed>) {
    // First: it says how the types of bodies are described when the routes are collected.
    let mut document = crate::openapi::frame();
    let Routes { router, mut listed } = all();
    listed.sort_by_key(|route| (route.path, route.method.to_string()));
    let router = router.finish_api(&mut document);
    let document = crate::openapi::served(&document);
    let router = router
        .merge(document)
        .fallback(crate::dashboard::fallback)
        .method_not_allowed_fallback(layers::no_such_method)
        .layer(axum::middleware::from_fn_with_state(app.clone(), layers::around))
        .with_state(app.clone());
    (router, listed)
}

pub(crate) fn all() -> Routes {
    let routes = Routes::new();
    let routes = crate::auth::routes(routes);
    let routes = crate::orgs::routes(routes);
    let routes = crate::members::routes(routes);
    let routes = crate::invitations::routes(routes);
    let routes = crate::mail_domains::routes(routes);
    let routes = crate::roles::routes(routes);
    let routes = crate::access::routes(routes);
    let routes = crate::admin::routes(routes);
    let routes = crate::operator::routes(routes);
    let routes = crate::api_keys::routes(routes);
    let routes = crate::teams::routes(routes);
    let routes = crate::projects::routes(routes);
    let routes = crate::providers::routes(routes);
    let routes = crate::models::routes(routes);
    let routes = crate::limits::routes(routes);
    let routes = crate::user::routes(routes);
    let routes = crate::budgets::routes(routes);
    let routes = crate::usage::routes(routes);
    let routes = crate::search::routes(routes);
    let routes = crate::answers::routes(routes);
    let routes = crate::webhooks::routes(routes);
    let routes = crate::audit::routes(routes);
    let routes = crate::collections::routes(routes);
    let routes = crate::documents::routes(routes);
    let routes = crate::embedding::routes(routes);
    let routes = crate::sources::routes(routes);
    let routes = crate::jobs::routes(routes);
    let routes = crate::live::routes(routes);
    let routes = crate::about::routes(routes);
    let routes = crate::feedback::routes(routes);
    let routes = crate::threads::routes(routes);
    let routes = crate::gateway::routes(routes);
    crate::health::routes(routes)
}
