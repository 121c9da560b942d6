#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "bennu/base/record_json.hpp"

namespace bennu {

namespace detail {

inline void write_text(std::string& out, std::string_view text) {
    std::uint64_t size = text.size();
    out.append(reinterpret_cast<const char*>(&size), sizeof(size)).append(text);
}
inline bool read_text(std::string_view& in, std::string& text) {
    std::uint64_t size;
    if (in.size() < sizeof(size)) return false;
    std::memcpy(&size, in.data(), sizeof(size));
    in.remove_prefix(sizeof(size));
    if (in.size() < size) return false;
    text.assign(in.substr(0, size));
    in.remove_prefix(size);
    return true;
}

}  // namespace detail

/// How a table's keys and values are written to a snapshot. Numbers, enums and plain structs are
/// written as their bytes (no pointers inside), text, vectors, pairs and optionals by their parts,
/// other records as JSON (in which secrets are masked). Specialise it for other types:
///
///     static void write(std::string& out, const T& value);
///     static bool read(std::string_view& in, T& value);   // takes its bytes off the front
template <typename T>
struct TableCodec {
    static_assert(std::is_trivially_copyable_v<T> || Record<T>,
                  "specialise bennu::TableCodec for this type to save it in a snapshot");
    static_assert(!std::is_pointer_v<T> && !std::is_same_v<T, std::string_view>,
                  "an address means nothing in a file");

    static void write(std::string& out, const T& value) {
        if constexpr (std::is_trivially_copyable_v<T>) {
            out.append(reinterpret_cast<const char*>(&value), sizeof(T));
        } else {
            detail::write_text(out, to_json(value));
        }
    }
    static bool read(std::string_view& in, T& value) {
        if constexpr (std::is_trivially_copyable_v<T>) {
            if (in.size() < sizeof(T)) return false;
            std::memcpy(static_cast<void*>(&value), in.data(), sizeof(T));
            in.remove_prefix(sizeof(T));
            return true;
        } else {
            std::string text;
            if (!detail::read_text(in, text)) return false;
            Result<Json> json = parse_json(text);
            return json && read_json(value, *json);
        }
    }
};

template <>
struct TableCodec<std::string> {
    static void write(std::string& out, const std::string& value) {
        detail::write_text(out, value);
    }
    static bool read(std::string_view& in, std::string& value) {
        return detail::read_text(in, value);
    }
};

template <typename T>
struct TableCodec<std::vector<T>> {
    static void write(std::string& out, const std::vector<T>& values) {
        TableCodec<std::uint64_t>::write(out, values.size());
        for (const T& value : values) TableCodec<T>::write(out, value);
    }
    static bool read(std::string_view& in, std::vector<T>& values) {
        std::uint64_t size;
        if (!TableCodec<std::uint64_t>::read(in, size)) return false;
        values.clear();
        for (; size > 0; --size) {
            if (!TableCodec<T>::read(in, values.emplace_back())) return false;
        }
        return true;
    }
};

template <typename T>
    requires(!std::is_trivially_copyable_v<T>)
struct TableCodec<std::optional<T>> {
    static void write(std::string& out, const std::optional<T>& value) {
        TableCodec<bool>::write(out, value.has_value());
        if (value) TableCodec<T>::write(out, *value);
    }
    static bool read(std::string_view& in, std::optional<T>& value) {
        bool there;
        if (!TableCodec<bool>::read(in, there)) return false;
        return !there || TableCodec<T>::read(in, value.emplace());
    }
};

template <typename A, typename B>
    requires(!std::is_trivially_copyable_v<std::pair<A, B>>)
struct TableCodec<std::pair<A, B>> {
    static void write(std::string& out, const std::pair<A, B>& value) {
        TableCodec<A>::write(out, value.first);
        TableCodec<B>::write(out, value.second);
    }
    static bool read(std::string_view& in, std::pair<A, B>& value) {
        return TableCodec<A>::read(in, value.first) && TableCodec<B>::read(in, value.second);
    }
};

}  // namespace bennu
