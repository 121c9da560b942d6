// How processes end, and who learns of it.
#include "bennu/base/log.hpp"
#include "bennu/runtime/process.hpp"
#include "bennu/runtime/runtime_state.hpp"
#include "bennu/runtime/shard.hpp"

namespace bennu::detail {

void Shard::exit(Process& process, ExitReason reason) {
    if (process.has(Process::running)) {
        if (process.has(Process::exiting)) return;
        process.set(Process::exiting);
        extension(process).exit_reason = std::move(reason);
        return;
    }
    end(process, std::move(reason));
}

void Shard::stop(Process& process, ExitReason reason) {
    if (process.has(Process::stopping)) return;
    if (!process.type->terminate) {
        exit(process, std::move(reason));
        return;
    }
    process.set(Process::stopping);
    extension(process).exit_reason = std::move(reason);
    if (!process.has(Process::running) && !process.root) begin_terminate(process);
}

void Shard::end(Process& process, ExitReason reason) {
    MustAllocate ending;
    Pid pid = pid_of(process);
    std::uint32_t index = process.next_free;
    Pid previous = std::exchange(running_, pid);
    if (reason.kind() == ExitReason::Kind::fault) {
        std::string at;
        for (const std::string& await : reason.awaits())
            at.append(at.empty() ? "" : " < ").append(await);
        log_error("process crashed", {{"pid", pid.to_string()},
                                      {"type", process.type->name},
                                      {"reason", reason.describe()},
                                      {"at", at}});
    }
    if (observer_) [[unlikely]]
        observer_->ended(*this, pid, process, reason);
    // From here on nobody finds it: what its destructors send to it is dropped.
    ++process.generation;
    process.flags = 0;
    // Before any destructor: what looks it up by name or group finds it no more either.
    if (RegisteredName* name = process.besides.name()) runtime_.names().remove(name);
    if (Extension* extension = process.besides.extension()) {
        for (auto& hook : extension->hooks) hook->process_ended(pid);
    }
    const ExitReason* outer_ending = std::exchange(ending_, &reason);
    if (PromiseBase* root = std::exchange(process.root, nullptr)) {
        auto reply = std::bit_cast<ReplyTo>(root->reply);
        root->handle().destroy();
        send_failure(reply,
                     Error(ErrorKind::closed, "exited", "the server ended: " + reason.describe()));
    }
    if (process.body) process.type->destroy(std::exchange(process.body, nullptr));
    if (process.mailbox != 0 || process.besides.extension()) drop_mailbox(process);
    ending_ = outer_ending;
    process.besides.clear();
    --process_count_;
    while (process.watchers != Process::nil) {
        std::uint32_t at = process.watchers;
        Watch watch = watches_[at];
        MonitorId id =
            watch.watcher.shard() == index_ ? MonitorId{at, watch.generation} : watch.remote;
        unlink_watch(at);
        notify(watch.watcher, watch, id, reason);
    }
    while (process.watching != Process::nil) {
        std::uint32_t at = process.watching;
        Watch watch = watches_[at];
        if (!watch.mutual) {
            unwatch({at, watch.generation});
            continue;
        }
        unlink_watch(at);
        Watch back{.link = true, .watcher = watch.target, .target = pid};
        notify(back.watcher, back, {at, watch.generation}, reason);
    }
    running_ = previous;
    // A Pid may be kept for ever: a slot that has had all its generations is not used again.
    if (process.generation == 0) return;
    // First in, first out: a slot's generation moves on as slowly as possible.
    process.next_free = Process::nil;
    if (last_free_ != Process::nil) {
        slot(last_free_).next_free = index;
    } else {
        first_free_ = index;
    }
    last_free_ = index;
    ++free_slots_;
}

bool Shard::add_exit_hook(Pid pid, std::shared_ptr<ExitHook> hook) {
    Process* process = find(pid);
    if (!process) return false;
    auto& hooks = extension(*process).hooks;
    if (std::find(hooks.begin(), hooks.end(), hook) == hooks.end())
        hooks.push_back(std::move(hook));
    return true;
}

void Shard::remove_exit_hook(Pid pid, const ExitHook* hook) {
    Process* process = find(pid);
    Extension* extension = process ? process->besides.extension() : nullptr;
    if (extension) std::erase_if(extension->hooks, [hook](auto& h) { return h.get() == hook; });
}

void Shard::end_all() {
    closing_ = true;
    for (std::uint32_t i = used_slots_; i-- > 0;) {
        if (slot(i).has(Process::alive)) end(slot(i), ExitReason::shutdown());
    }
}

void Shard::notify(Pid watcher, const Watch& watch, MonitorId id, const ExitReason& reason) {
    if (watcher.shard() != index_) {
        post(watcher.shard(), [watcher, id, reason] {
            Shard* shard = Shard::current();
            if (id.index >= shard->watches_.size()) return;
            Watch local = shard->watches_[id.index];
            if (!local.active || local.generation != id.generation) return;
            shard->unlink_watch(id.index);
            shard->notify(watcher, local, id, reason);
        });
        return;
    }
    if (watch.wait) {
        WaitTable::Entry* entry = waits_.find_waiting(watch.wait);
        if (!entry) return;
        static_cast<ValueWaitState<ExitReason>*>(entry->state)->value.emplace(reason);
        resume_later(*entry, watch.wait);
    } else if (watch.link) {
        Process* process = find(watcher);
        bool polite = reason.kind() == ExitReason::Kind::shutdown && watch.of_child;
        if (process && (process->type->make_exit || !polite)) {
            signal_exit(watcher, Exit{watch.target, reason});
        }
    } else if (Process* process = find(watcher); process && process->type->make_down) {
        Envelope envelope = process->type->make_down(watcher, Down{watch.target, id, reason});
        deliver(envelope);
    }
}

void Shard::signal_exit(Pid to, Exit exit) {
    if (to.shard() != index_) {
        post(to.shard(), [to, exit = std::move(exit)]() mutable {
            Shard::current()->signal_exit(to, std::move(exit));
        });
        return;
    }
    Process* process = find(to);
    if (!process) return;
    if (process->type->make_exit) {
        Envelope envelope = process->type->make_exit(to, std::move(exit));
        deliver(envelope);
    } else if (exit.reason.kind() != ExitReason::Kind::normal) {
        this->exit(*process, std::move(exit.reason));
    }
}

std::uint32_t Shard::new_watch() {
    std::uint32_t index;
    if (!free_watches_.empty()) {
        index = free_watches_.back();
        free_watches_.pop_back();
    } else {
        index = static_cast<std::uint32_t>(watches_.size());
        watches_.emplace_back();
    }
    std::uint32_t generation = watches_[index].generation;
    watches_[index] = Watch{};
    watches_[index].generation = generation;
    watches_[index].active = true;
    return index;
}

MonitorId Shard::watch(Process& watcher, Pid target, bool link, ReplyTo wait) {
    std::uint32_t index = new_watch();
    Watch& watch = watches_[index];
    watch.link = link;
    watch.wait = wait;
    watch.watcher = pid_of(watcher);
    watch.target = target;
    MonitorId id{index, watch.generation};
    watch.next_watching = watcher.watching;
    if (watcher.watching != Process::nil) watches_[watcher.watching].previous_watching = index;
    watcher.watching = index;
    if (target.shard() != index_ && target.shard() < runtime_.shard_count()) {
        post(target.shard(), [id, target, link, from = watch.watcher] {
            Shard::current()->add_remote_watch(from, id, target, link);
        });
    } else if (Process* process = find(target)) {
        watch.next_watcher = process->watchers;
        if (process->watchers != Process::nil) watches_[process->watchers].previous_watcher = index;
        process->watchers = index;
    } else {
        // Not from within this call: whoever watches gets to know its id first.
        jobs_.push_back([this, id, copy = watch] {
            if (!watches_[id.index].active || watches_[id.index].generation != id.generation)
                return;
            unlink_watch(id.index);
            notify(copy.watcher, copy, id, ExitReason::noproc());
        });
    }
    return id;
}

void Shard::link_child(Process& parent, Process& child) {
    MonitorId down = watch(parent, pid_of(child), true, {});
    watches_[down.index].of_child = true;
    watches_[down.index].mutual = true;
}

void Shard::add_remote_watch(Pid watcher, MonitorId id, Pid target, bool link) {
    Watch watch;
    watch.target = target;
    watch.watcher = watcher;
    watch.link = link;
    Process* process = find(target);
    if (!process) {
        notify(watcher, watch, id, ExitReason::noproc());
        return;
    }
    std::uint32_t index = new_watch();
    watch.generation = watches_[index].generation;
    watch.active = true;
    watch.remote = id;
    watch.next_watcher = process->watchers;
    watches_[index] = watch;
    if (process->watchers != Process::nil) watches_[process->watchers].previous_watcher = index;
    process->watchers = index;
}

void Shard::unwatch(MonitorId id) {
    if (id.index >= watches_.size()) return;
    Watch& watch = watches_[id.index];
    if (!watch.active || watch.generation != id.generation) return;
    Pid target = watch.target;
    Pid watcher = watch.watcher;
    unlink_watch(id.index);
    if (target.shard() != index_ && target.shard() < runtime_.shard_count()) {
        post(target.shard(),
             [target, watcher, id] { Shard::current()->drop_remote_watch(target, watcher, id); });
    }
}

void Shard::drop_remote_watch(Pid target, Pid watcher, MonitorId id) {
    Process* process = find(target);
    if (!process) return;
    for (std::uint32_t at = process->watchers; at != Process::nil; at = watches_[at].next_watcher) {
        if (watches_[at].watcher == watcher && watches_[at].remote == id) {
            unlink_watch(at);
            return;
        }
    }
}

void Shard::unlink_watch(std::uint32_t index) {
    Watch& watch = watches_[index];
    auto relink = [&](std::uint32_t next, std::uint32_t previous, Pid owner,
                      std::uint32_t Process::* head, std::uint32_t Watch::* next_field,
                      std::uint32_t Watch::* previous_field) {
        if (next != Process::nil) watches_[next].*previous_field = previous;
        if (previous != Process::nil) {
            watches_[previous].*next_field = next;
        } else if (owner.shard() == index_ && owner.slot() < used_slots_) {
            Process& process = slot(owner.slot());
            if (process.*head == index) process.*head = next;
        }
    };
    relink(watch.next_watcher, watch.previous_watcher, watch.target, &Process::watchers,
           &Watch::next_watcher, &Watch::previous_watcher);
    relink(watch.next_watching, watch.previous_watching, watch.watcher, &Process::watching,
           &Watch::next_watching, &Watch::previous_watching);
    watch.active = false;
    if (++watch.generation != 0) free_watches_.push_back(index);
}

}  // namespace bennu::detail
