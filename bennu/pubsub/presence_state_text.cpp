#include "bennu/pubsub/presence_state_text.hpp"

namespace bennu::presence::detail {

void append_key(std::string& out, std::string_view key, std::string_view metas,
                const FetchedText* fetched) {
    if (out.back() != '{') out += ',';
    append_json_string(out, key);
    out.append(":{\"metas\":[").append(metas).append("]");
    if (fetched && !fetched->empty()) {
        if (auto fields = fetched->find(std::string(key)); fields != fetched->end())
            out += fields->second;
    }
    out += '}';
}

void StateText::add(std::string_view key, std::string_view metas, const FetchedText* fetched) {
    append_key(text_, key, metas, fetched);
    parts_.push_back(
        {static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(keys_.size())});
    keys_ += key;
    ++encoded_;
}

StateText StateText::without(const KeySet& keys) const {
    StateText rest;
    rest.text_.reserve(text_.size() + text_.size() / 16);
    rest.keys_.reserve(keys_.size() + keys_.size() / 16);
    rest.parts_.reserve(parts_.size() + parts_.size() / 16);
    for (std::size_t n = 0; n < parts_.size(); ++n) {
        const std::string_view name = key(n);
        if (keys.contains(name)) continue;
        if (!rest.parts_.empty()) rest.text_ += ',';
        rest.text_ += part(n);
        rest.parts_.push_back({static_cast<std::uint32_t>(rest.text_.size()),
                               static_cast<std::uint32_t>(rest.keys_.size())});
        rest.keys_ += name;
    }
    return rest;
}

std::string_view StateText::key(std::size_t index) const {
    const std::size_t end = index + 1 < parts_.size() ? parts_[index + 1].key : keys_.size();
    return std::string_view(keys_).substr(parts_[index].key, end - parts_[index].key);
}

std::string_view StateText::part(std::size_t index) const {
    // After the brace, or the comma, before it.
    const std::size_t begin = index == 0 ? 1 : parts_[index - 1].end + 1;
    return std::string_view(text_).substr(begin, parts_[index].end - begin);
}

JsonMember StateReader::next() {
    std::string object = "{";
    object.append(state_->part(index_++)).append("}");
    Json read = *parse_json(object, {.max_bytes = object.size()});
    return std::move(read.as_object().front());
}

}  // namespace bennu::presence::detail
