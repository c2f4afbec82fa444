//! Takes from this process, for good, whatever reading a document does not need.

use rustix::process::{Resource, Rlimit, setrlimit};

use super::frames::Confinement;

/// Confines this process. Said as text, since its only reader is a log.
pub(super) fn confine(confinement: &Confinement) -> Result<(), String> {
    let limit = |resource, most: u64| {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
            .map_err(|error| format!("{resource:?}: {error}"))
    };
    limit(Resource::As, confinement.memory)?;
    limit(Resource::Cpu, confinement.processor)?;
    // No file grows, no core is written.
    limit(Resource::Fsize, 0)?;
    limit(Resource::Core, 0)?;
    only_compute()
}

/// From here on the kernel refuses every call but those of an allocator, of waiting, of ending, of reading the first pipe and
/// writing to the other two. No file opens, no connection is made, no program starts, and descriptors that were inherited by mistake
/// are of no use.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
fn only_compute() -> Result<(), String> {
    use std::collections::BTreeMap;

    use rustix::io::Errno;
    use seccompiler::{
        BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
        TargetArch, apply_filter, sock_filter,
    };

    let said = |error: seccompiler::BackendError| error.to_string();
    let on = |descriptor: u64| -> Result<SeccompRule, String> {
        let first = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, descriptor).map_err(said)?;
        SeccompRule::new(vec![first]).map_err(said)
    };
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for (call, descriptors) in
        [(libc::SYS_read, vec![0]), (libc::SYS_write, vec![1, 2]), (libc::SYS_writev, vec![1, 2])]
    {
        rules.insert(call, descriptors.into_iter().map(on).collect::<Result<_, _>>()?);
    }
    // Memory of its own alone: a mapping would read an inherited file as well as `read` does.
    let anonymous =
        SeccompCondition::new(4, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, u64::from(u32::MAX)).map_err(said)?;
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(vec![anonymous]).map_err(said)?]);
    for call in [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_sched_yield,
        libc::SYS_getrandom,
        libc::SYS_clock_gettime,
        libc::SYS_rt_sigaction,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_sigaltstack,
        libc::SYS_restart_syscall,
        libc::SYS_getpid,
        libc::SYS_gettid,
        // How a process ends itself badly.
        libc::SYS_tgkill,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ] {
        rules.insert(call, vec![]);
    }
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(said)?;
    let refuse = SeccompAction::Errno(Errno::PERM.raw_os_error().unsigned_abs());
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch).map_err(said)?;
    let program: BpfProgram = Vec::<sock_filter>::try_from(filter).map_err(said)?;
    apply_filter(&program).map_err(|error| error.to_string())
}

/// Elsewhere the bounds on memory and time, the empty environment and the pipes are what there is.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
fn only_compute() -> Result<(), String> {
    Ok(())
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::net::{TcpStream, UdpSocket};

    #[test]
    fn nothing_is_left_but_to_compute() {
        let mut inherited = std::fs::File::open("/proc/self/status").unwrap();
        // A filter binds the thread that sets it.
        let thread = std::thread::spawn(move || {
            super::only_compute().unwrap();
            let refused = [
                std::fs::File::open("/etc/hostname").map(drop),
                std::fs::read_dir("/").map(drop),
                TcpStream::connect("127.0.0.1:9").map(drop),
                UdpSocket::bind("127.0.0.1:0").map(drop),
                std::process::Command::new("/bin/true").spawn().map(drop),
                std::thread::Builder::new().spawn(|| ()).map(drop),
                inherited.read(&mut [0; 16]).map(drop),
                std::fs::remove_file("/tmp/nothing").map(drop),
            ]
            .map(|tried| tried.map_err(|error| error.kind()));
            let memory = vec![1_u8; 64 << 20];
            (refused, memory.iter().map(|byte| usize::from(*byte)).sum::<usize>())
        });
        let (refused, sum) = thread.join().unwrap();
        assert_eq!(refused, [Err(ErrorKind::PermissionDenied); 8]);
        assert_eq!(sum, 64 << 20);
    }
}
