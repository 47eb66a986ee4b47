//! The browser shell: web-sys events in, the core's answers out. Holds no rule of its own; what a
//! panel looks like, fetching and imports are JavaScript's (`sdk-js`), because they cost less there.

mod answer;
mod config;
mod consent;
mod dedupe;
mod entropy;
mod ga4;
mod live;
mod memory;
mod outbox;
mod panels;
mod pointer;
mod reflect;
mod session;
mod state;
mod store;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static HEAP: lol_alloc::LockedAllocator<lol_alloc::FreeListAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::FreeListAllocator::new());
