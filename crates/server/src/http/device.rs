//! The cookie by which a browser is known as one in which somebody has signed in before.

use std::convert::Infallible;

use aide::OperationInput;
use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::header::COOKIE;
use axum::http::request::Parts;
use domain::UserId;
use tenancy::{House, devices};

use crate::App;

/// The mark that came with a request, unread: a good one, a bad one, another person's, or none.
pub(crate) struct DeviceMark(pub(crate) Option<String>);

impl OperationInput for DeviceMark {}

impl FromRequestParts<App> for DeviceMark {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let name = cookie_name(&app.house.rules.public_url);
        let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mark = pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
        Ok(Self(mark))
    }
}

/// `__Host-` needs https, which a laptop has not.
fn cookie_name(public_url: &str) -> &'static str {
    if public_url.starts_with("https://") { "__Host-rh_device" } else { "rh_device" }
}

/// The header that marks a browser as known to a person.
pub(crate) fn device_cookie(house: &House, user: UserId) -> Option<HeaderValue> {
    let url = &house.rules.public_url;
    let secure = if url.starts_with("https://") { "; Secure" } else { "" };
    let (name, mark, keep) = (cookie_name(url), devices::mark(house, user), devices::KNOWN.as_secs());
    HeaderValue::from_str(&format!("{name}={mark}; Path=/{secure}; HttpOnly; SameSite=Lax; Max-Age={keep}")).ok()
}
