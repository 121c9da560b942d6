#pragma once

#include <array>
#include <string_view>

namespace bennu::detail {

template <typename T>
constexpr std::string_view pretty_name() {
    std::string_view text = __PRETTY_FUNCTION__;
    std::size_t start = text.find("T = ") + 4;
    return text.substr(start, text.size() - start - 1);
}

/// A type's qualified name as static, zero-terminated text ("assetronics::ImportRunner").
template <typename T>
struct TypeName {
    static constexpr auto storage = [] {
        std::array<char, pretty_name<T>().size() + 1> text{};
        for (std::size_t i = 0; i < pretty_name<T>().size(); ++i) text[i] = pretty_name<T>()[i];
        return text;
    }();
};
template <typename T>
constexpr const char* type_name_of() {
    return TypeName<T>::storage.data();
}

}  // namespace bennu::detail
