//! A full disk: nothing is added (507), reading and removing go on, and when there is room again all is well.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use store::org::audits;
use testing::{Client, TestHouse, Wish};

/// A small disk of its own, where the test may mount one.
struct Disk(PathBuf);

impl Disk {
    fn mount(mebibytes: u32) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("rowhouse-disk-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("made");
        let size = format!("size={mebibytes}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        let _ = std::fs::remove_dir(&folder);
        None
    }

    fn free(&self) -> u64 {
        let disk = rustix::fs::statvfs(&self.0).expect("the system says");
        disk.f_bavail * disk.f_frsize
    }

    /// Leaves so many bytes free. Pages are 4 KiB, so 0 leaves less than one.
    fn leave(&self, bytes: u64) {
        self.clear();
        let filler = std::fs::File::create(self.filler()).expect("made");
        let page = vec![1; 4096];
        let mut left = self.free().saturating_sub(bytes) / 4096;
        while left > 0 && std::io::Write::write_all(&mut &filler, &page).is_ok() {
            left -= 1;
        }
    }

    fn clear(&self) {
        let _ = std::fs::remove_file(self.filler());
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
        let _ = std::fs::remove_dir(&self.0);
    }
}

async fn house_on(folder: &Path) -> TestHouse {
    TestHouse::sqlite_with(Wish { data: Some(folder.join("data")), ..Wish::default() }).await
}

async fn make_team(client: &Client, name: &str) -> testing::Answer {
    client.post("/api/v1/teams", &json!({ "name": name })).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_what_adds_and_nothing_else() {
    let Some(disk) = Disk::mount(48) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let house = house_on(&disk.0).await;
    let ann = house.sign_up("Ann").await;
    let teams: Vec<String> = {
        let mut teams = Vec::new();
        for n in 0..6 {
            teams.push(make_team(&ann, &format!("Team {n}")).await.expect(201).str("/id").to_owned());
        }
        teams
    };
    house.store().deliver(ann.org.parse().expect("an id")).await.expect("nothing is under way");

    // All but the reserve is taken: what adds is refused, what changes and removes goes on.
    disk.leave(8 << 20);
    assert_eq!(make_team(&ann, "One too many").await.expect(507).code(), "storage_full");
    ann.get("/api/v1/teams").await.expect(200);
    ann.patch(&format!("/api/v1/teams/{}", teams[0]), &json!({ "name": "Renamed" })).await.expect(200);
    ann.delete(&format!("/api/v1/teams/{}", teams[1])).await.expect(204);
    let body = json!({ "email": "bob@example.com", "password": testing::PASSWORD, "name": "Bob" });
    assert_eq!(house.visitor().post("/api/v1/auth/signup", &body).await.expect(507).code(), "storage_full");

    // Not a page is left: reading goes on, a minute later too, when it would be noted who was seen last.
    disk.leave(0);
    for minutes in [0, 2] {
        house.clock.advance(std::time::Duration::from_mins(minutes));
        ann.get("/api/v1/teams").await.expect(200);
        ann.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(make_team(&ann, "One too many").await.expect(507).code(), "storage_full");
        // A change needs a little room for the log: it is done or refused, never half done.
        let renamed = ann.patch(&format!("/api/v1/teams/{}", teams[2]), &json!({ "name": "Perhaps" })).await;
        assert!([200, 507].contains(&renamed.status), "{}", renamed.text);
    }

    disk.clear();
    make_team(&ann, "Room again").await.expect(201);
    let listed = ann.get("/api/v1/teams").await.expect(200);
    assert!(!listed.text.contains("One too many"), "{}", listed.text);
    assert!(listed.text.contains("Renamed") && listed.text.contains("Room again"), "{}", listed.text);
    // Of Bob there was nothing left behind.
    house.visitor().post("/api/v1/auth/signup", &body).await.expect(201);
    let scope = house.scope(&ann).await;
    house.store().deliver(scope.org()).await.expect("what was queued is written");
    let mut tx = house.store().open(&scope).read().await.expect("begins");
    let verified = audits::verify(&mut tx, &[]).await.expect("walked");
    assert_eq!(verified.fault, None);
    assert!(verified.entries >= 10, "{verified:?}");
}

/// Writes until there is no room, at a hundred sizes of what is left: whatever was acknowledged is there, and nothing is half there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_out_of_room_in_the_middle_of_a_write_leaves_nothing_half_done() {
    let Some(disk) = Disk::mount(32) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let house = house_on(&disk.0).await;
    let ann = house.sign_up("Ann").await;
    let team = make_team(&ann, "Team").await.expect(201);
    let url = format!("/api/v1/teams/{}", team.str("/id"));
    let mut version = 1;
    let (mut done, mut refused) = (0, 0);
    for pages in 0..100 {
        disk.leave(pages % 20 * 4096);
        let answer = ann.patch(&url, &json!({ "name": format!("Name {pages}") })).await;
        match answer.status {
            200 => (version, done) = (version + 1, done + 1),
            507 => refused += 1,
            other => panic!("{other}: {}", answer.text),
        }
        let shown = ann.get(&url).await.expect(200);
        assert_eq!(shown.headers["etag"].to_str().expect("text"), format!("\"{version}\""), "after {pages}");
    }
    eprintln!("{done} done, {refused} refused");
    assert!(done > 0 && refused > 0, "{done} done, {refused} refused");
    disk.clear();
    let scope = house.scope(&ann).await;
    let mut tx = house.store().open(&scope).read().await.expect("begins");
    assert_eq!(audits::verify(&mut tx, &[]).await.expect("walked").fault, None);
    drop(tx);
    make_team(&ann, "Another").await.expect(201);
}
