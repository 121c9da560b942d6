#pragma once

#include <string>

namespace bennu::phoenix {

/// A buffer to put one frame together in, lent by the thread; the transport copies what it sends.
class Scratch {
  public:
    Scratch() : outer_(std::exchange(in_use_, true)), text_(outer_ ? own_ : spare_) {}
    ~Scratch() {
        if (outer_) return;
        in_use_ = false;
        spare_.clear();
        if (spare_.capacity() > 64 * 1024) std::string().swap(spare_);
    }
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;

    std::string& operator*() { return text_; }
    std::string* operator->() { return &text_; }

  private:
    static inline thread_local bool in_use_ = false;
    static inline thread_local std::string spare_;
    bool outer_;       ///< another one has the thread's buffer
    std::string own_;  ///< then
    std::string& text_;
};

}  // namespace bennu::phoenix
