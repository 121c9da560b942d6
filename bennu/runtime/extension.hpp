#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bennu/runtime/exit.hpp"
#include "bennu/runtime/exit_hook.hpp"
#include "bennu/runtime/mailbox.hpp"
#include "bennu/runtime/registry.hpp"

namespace bennu::detail {

/// What few processes have.
struct Extension {
    RegisteredName* name = nullptr;
    ExitReason exit_reason;
    std::vector<std::shared_ptr<ExitHook>> hooks;  ///< whoever must know when it ends
    std::unique_ptr<MailboxQueues> mailbox;
};

/// What a process has besides itself: nothing, a name only, or an extension, which has the name
/// then. One pointer; its lowest bit says which.
class Besides {
  public:
    Extension* extension() const {
        return (bits_ & name_only) != 0 ? nullptr : reinterpret_cast<Extension*>(bits_);
    }
    RegisteredName* name() const {
        if ((bits_ & name_only) != 0) return reinterpret_cast<RegisteredName*>(bits_ & ~name_only);
        return bits_ != 0 ? extension()->name : nullptr;
    }
    bool empty() const { return bits_ == 0; }

    Extension& make_extension() {
        if (Extension* present = extension()) return *present;
        auto* made = new Extension{.name = name()};
        bits_ = reinterpret_cast<std::uintptr_t>(made);
        return *made;
    }
    /// A process gets at most one name.
    void set_name(RegisteredName* name) {
        if (Extension* present = extension()) {
            present->name = name;
        } else {
            bits_ = reinterpret_cast<std::uintptr_t>(name) | name_only;
        }
    }
    /// Without the name, which is the registry's to free.
    void clear() {
        delete extension();
        bits_ = 0;
    }

  private:
    static constexpr std::uintptr_t name_only = 1;
    std::uintptr_t bits_ = 0;
};

}  // namespace bennu::detail
