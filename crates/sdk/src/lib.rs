//! The browser shell: what a page may show and how likely its shopper is to buy, asked of the core, and the gestures
//! of leaving, measured. Holds no rule of its own. Capturing, storing, sending and showing are JavaScript's
//! (`sdk-js`): they go on where wasm is forbidden, and cost a fifth to a tenth there.

mod facts;
mod leaving;
mod number;
mod panels;
mod pointer;
mod scroll;
mod session;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static HEAP: lol_alloc::LockedAllocator<lol_alloc::FreeListAllocator> =
    lol_alloc::LockedAllocator::new(lol_alloc::FreeListAllocator::new());
