#include "bennu/web/negotiation.hpp"

#include "bennu/base/ascii.hpp"

namespace bennu {

namespace {

/// One element of a weighted list: what it names and how much it is wanted.
struct Weighted {
    std::string_view name;
    int quality = 1000;
};

/// Thousandths of `0.8`; a malformed weight counts as none at all.
int parse_quality(std::string_view text) {
    if (text.empty() || (text[0] != '0' && text[0] != '1')) return 0;
    int value = (text[0] - '0') * 1000;
    if (text.size() == 1) return value;
    if (text[1] != '.' || text.size() > 5) return 0;
    int unit = 100;
    for (char c : text.substr(2)) {
        if (!is_ascii_digit(c)) return 0;
        value += (c - '0') * unit;
        unit /= 10;
    }
    return value > 1000 ? 0 : value;
}

bool next_weighted(std::string_view& list, Weighted& item) {
    while (!list.empty()) {
        std::string_view element = list.substr(0, list.find(','));
        list.remove_prefix(std::min(element.size() + 1, list.size()));
        item.name = trim(element.substr(0, element.find(';')));
        if (item.name.empty()) continue;
        item.quality = 1000;
        std::string_view rest = element;
        while (rest.contains(';')) {
            rest.remove_prefix(rest.find(';') + 1);
            std::string_view parameter = trim(rest.substr(0, rest.find(';')));
            if (parameter.size() >= 2 && ascii_lower(parameter[0]) == 'q' && parameter[1] == '=') {
                item.quality = parse_quality(parameter.substr(2));
            }
        }
        return true;
    }
    return false;
}

/// 0: no match, 1: `*/*`, 2: `text/*`, 3: the type itself.
int specificity(std::string_view range, std::string_view type) {
    if (iequals(range, type)) return 3;
    if (range == "*/*" || range == "*") return 1;
    if (range.ends_with("/*") && type.size() >= range.size() - 1 &&
        iequals(range.substr(0, range.size() - 1), type.substr(0, range.size() - 1))) {
        return 2;
    }
    return 0;
}

}  // namespace

int encoding_quality(std::string_view accept_encoding, std::string_view coding) {
    const bool identity = coding == "identity";
    int wildcard = -1;
    Weighted item;
    while (next_weighted(accept_encoding, item)) {
        if (iequals(item.name, coding)) return item.quality;
        if (item.name == "*") wildcard = item.quality;
    }
    if (identity) return wildcard == 0 ? 0 : 1;
    return wildcard >= 0 ? wildcard : 0;
}

int media_quality(std::string_view accept, std::string_view media_type) {
    if (trim(accept).empty()) return 1000;
    int best = 0;
    int quality = 0;
    Weighted item;
    while (next_weighted(accept, item)) {
        int match = specificity(item.name, media_type);
        if (match > best) {
            best = match;
            quality = item.quality;
        }
    }
    return quality;
}

std::string_view choose_media(std::string_view accept,
                              std::initializer_list<std::string_view> offered) {
    std::string_view best;
    int best_quality = 0;
    for (std::string_view type : offered) {
        int quality = media_quality(accept, type);
        if (quality > best_quality) {
            best = type;
            best_quality = quality;
        }
    }
    return best;
}

bool accepts_html(std::string_view accept) {
    Weighted item;
    bool named = false;
    for (std::string_view list = accept; next_weighted(list, item);) {
        named = named || (iequals(item.name, "text/html") && item.quality > 0);
    }
    // Named twice, it may be refused all the same: the first counts.
    const int html = media_quality(accept, "text/html");
    return named && html > 0 && html >= media_quality(accept, "application/json");
}

}  // namespace bennu
