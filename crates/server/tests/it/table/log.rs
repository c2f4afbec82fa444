//! While one organisation works, no line of the log names another: not its ids, its names, its texts, its people, nor its secrets.

use axum::http::Method;
use server::Access;

use super::{World, call};

testing::both_stores! {
    async fn the_work_of_one_organisation_writes_nothing_of_another(house) {
        let world = World::build(&house).await;
        house.store().deliver(world.ann.org.parse().expect("an id")).await.expect("delivered");
        testing::log::keep();
        let _ = testing::log::written();
        // Bob calls everything, with ids of his own, with invented ones and with Acme's; last what would sign him out.
        let mut routes = house.routes().to_vec();
        routes.retain(|route| route.access != Access::Public);
        routes.sort_by_key(|route| (route.access == Access::Person, route.method != Method::GET));
        for route in &routes {
            for path in [world.of_beta(route.path), World::invented(route.path), world.real(route.path)] {
                for who in [&world.bob, &world.bobs_key] {
                    call(who, route, &path, &world).await;
                }
            }
        }
        let log = testing::log::written();
        let lines = log.lines().count();
        assert!(lines > routes.len() * 6 && log.contains("answered"), "{lines} lines");
        let ann = &world.ann;
        let own = [&ann.org, &ann.user, &ann.email, ann.token.as_ref().expect("signed in"), &ann.refresh];
        for mark in world.marks.iter().chain(own) {
            let named: Vec<&str> = log.lines().filter(|line| line.contains(mark.as_str())).collect();
            assert!(named.is_empty(), "{mark}: {named:?}");
        }
        for (id, bare) in world.marks.iter().chain(own).filter_map(|mark| Some((mark, mark.split_once('_')?.1))) {
            assert!(bare.len() != 32 || !log.replace('-', "").contains(bare), "{id} without its kind");
        }
    }
}
