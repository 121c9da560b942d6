#include "bennu/runtime/task.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <stdexcept>
#include <typeinfo>

#include "bennu/runtime/pool.hpp"

namespace bennu {

namespace {

std::string demangled(const std::type_info& type) {
    int status = 0;
    std::unique_ptr<char, void (*)(void*)> name(
        abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free);
    return status == 0 ? std::string(name.get()) : std::string(type.name());
}

}  // namespace

std::string Fault::describe() const {
    if (!exception) return "no exception";
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& e) {
        return demangled(typeid(e)) + ": " + e.what();
    } catch (...) {
        return "an exception that is not a std::exception";
    }
}

namespace detail {

void PromiseBase::unhandled_exception() noexcept {
    MustAllocate handling;
    fault = std::make_unique<Fault>();
    fault->exception = std::current_exception();
}

std::coroutine_handle<> PromiseBase::too_deep(PromiseBase& child) {
    child.fault = std::make_unique<Fault>();
    child.fault->exception =
        std::make_exception_ptr(std::length_error("too many tasks await one another"));
    return propagate_fault(child);
}

std::coroutine_handle<> PromiseBase::propagate_fault(PromiseBase& thrower) {
    MustAllocate handling;
    PromiseBase* stop = &thrower;
    std::unique_ptr<Fault> fault = std::move(thrower.fault);
    fault->awaits.push_back(stop->where);
    while (!stop->contains_faults && stop->parent) {
        stop = stop->parent;
        fault->awaits.push_back(stop->where);
    }
    stop->fault = std::move(fault);
    return stop->complete(*stop);
}

void* PromiseBase::operator new(std::size_t size) {
    return pool_allocate(size);
}
void PromiseBase::operator delete(void* memory, std::size_t size) {
    pool_free(memory, size);
}

}  // namespace detail
}  // namespace bennu
