#include "apps/assetronics/lib/demo/people.hpp"

#include <iterator>

#include "apps/assetronics/lib/demo/catalogue.hpp"

namespace assetronics::demo {

using namespace bennu;
using employees::Employee;
using employees::EmployeeStatus;

namespace {

struct Name {
    std::string_view first, last;
};
constexpr Name names[] = {
    {"Amara", "Okafor"},    {"Jonas", "Weber"},   {"Priya", "Nair"},     {"Mateo", "Silva"},
    {"Hanna", "Lindqvist"}, {"Kenji", "Mori"},    {"Leila", "Haddad"},   {"Tomasz", "Nowak"},
    {"Chloe", "Martin"},    {"Daniel", "Cohen"},  {"Ingrid", "Solberg"}, {"Rahul", "Mehta"},
    {"Sofia", "Rossi"},     {"Lucas", "Meyer"},   {"Aisha", "Bello"},    {"Oliver", "Grant"},
    {"Mei", "Tanaka"},      {"Pavel", "Dvorak"},  {"Nora", "Jensen"},    {"Victor", "Almeida"},
    {"Fatima", "Zahra"},    {"Ethan", "Brooks"},  {"Zofia", "Kowalska"}, {"Samir", "Khan"},
    {"Julia", "Becker"},    {"Diego", "Morales"}, {"Emma", "Virtanen"},  {"Arjun", "Patel"},
    {"Claire", "Dubois"},   {"Marcus", "Hale"},   {"Yuki", "Sato"},      {"Elena", "Petrova"},
    {"Noah", "Fischer"},    {"Grace", "Mwangi"},  {"Bram", "de Vries"},  {"Isabel", "Navarro"},
    {"Henrik", "Dahl"},     {"Tara", "Singh"},    {"Luis", "Ortega"},    {"Maya", "Friedman"},
    {"Adam", "Zielinski"},  {"Lotte", "Bakker"},  {"Carlos", "Mendez"},  {"Anja", "Schulz"},
    {"David", "Osei"},      {"Wei", "Chen"},      {"Ruth", "Abrams"},    {"Filip", "Novotny"},
    {"Sara", "Lund"},       {"Omar", "Farouk"},   {"Katie", "Byrne"},    {"Hugo", "Laurent"},
    {"Nina", "Kraus"},      {"Peter", "Wolff"},   {"Alice", "Morgan"},   {"Jun", "Park"},
    {"Greta", "Holm"},      {"Simon", "Clarke"},  {"Dalia", "Mansour"},  {"Theo", "Janssen"},
};

struct Team {
    std::string_view department;
    std::string_view titles[3];
    int size;
};
constexpr Team teams[] = {
    {"Engineering", {"Robotics Engineer", "Firmware Engineer", "Staff Engineer"}, 18},
    {"Manufacturing", {"Line Technician", "Process Engineer", "Quality Inspector"}, 12},
    {"Sales", {"Account Executive", "Solutions Engineer", "Sales Manager"}, 9},
    {"Customer Success", {"Support Engineer", "Field Technician", "Success Manager"}, 7},
    {"IT", {"Systems Administrator", "IT Support Specialist", "IT Manager"}, 5},
    {"Finance", {"Accountant", "Controller", "Buyer"}, 4},
    {"People", {"Recruiter", "HR Generalist", "HR Manager"}, 3},
    {"Leadership", {"Chief Executive", "Chief Technology Officer", "Chief of Staff"}, 2},
};

std::string lower_ascii(std::string_view text) {
    std::string out;
    for (char c : text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
        if (c >= 'a' && c <= 'z') out += c;
    }
    return out;
}

EmployeeStatus status_of(std::size_t place) {
    if (place == 17 || place == 34 || place == 52) return EmployeeStatus::terminated;
    if (place == 8 || place == 41) return EmployeeStatus::on_leave;
    return EmployeeStatus::active;
}

}  // namespace

std::vector<Employee> invent_people(Timestamp now, Random& random) {
    std::vector<Employee> people;
    const Team* team = teams;
    int of_team = 0;
    for (const Name& name : names) {
        const std::size_t place = people.size();
        Employee each;
        const Timestamp hired = now - std::chrono::hours(24 * random.between(40, 1500));
        each.id = uuid7(hired, random);
        each.number = "E-" + std::to_string(1001 + place);
        each.name = std::string(name.first) + " " + std::string(name.last);
        each.email =
            lower_ascii(name.first) + "." + lower_ascii(name.last) + "@brightwater.example";
        each.department = team->department;
        each.title = team->titles[of_team % 3];
        each.location = random.chance(0.15) ? "Remote" : pick(offices, random);
        each.status = status_of(place);
        people.push_back(std::move(each));
        if (++of_team == team->size && team + 1 != std::end(teams)) {
            ++team;
            of_team = 0;
        }
    }
    return people;
}

}  // namespace assetronics::demo
