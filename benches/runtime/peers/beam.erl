%% The same measurements on the BEAM. Usage: erl -noshell -pa DIR -run beam main MODE COUNT
-module(beam).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2, start_named/1]).
-export([register_name/2, unregister_name/1, whereis_name/1, send/2]).

main([Mode, Count]) ->
    measure(Mode, list_to_integer(Count)),
    halt().

print(Name, Value) -> io:format("~s ~w~n", [Name, Value]).

per_second(Count, Work) ->
    {Micros, _} = timer:tc(Work),
    Count * 1000000 / max(Micros, 1).

measure("idle_bytes", Count) ->
    Before = resident(),
    Pids = [spawn(fun idle/0) || _ <- lists:seq(1, Count)],
    After = resident(),
    print("idle_bytes", (After - Before - 16 * Count) / Count),
    length(Pids);
measure("spawn_exit", Count) ->
    print("spawn_exit", per_second(Count, fun() -> spawn_exit(Count div 100) end));
measure("call_local", Count) ->
    {ok, Pid} = gen_server:start_link(?MODULE, [], []),
    print("call_local", per_second(Count, fun() -> calls(Pid, Count) end));
measure("call_cross_100", Count) ->
    {ok, Pid} = gen_server:start_link(?MODULE, [], []),
    Self = self(),
    Share = Count div 100,
    print("call_cross_100", per_second(Count, fun() ->
        [spawn(fun() -> calls(Pid, Share), Self ! done end) || _ <- lists:seq(1, 100)],
        [receive done -> ok end || _ <- lists:seq(1, 100)]
    end));
measure("ring", Hops) ->
    Self = self(),
    First = spawn(fun() -> receive {next, Next} -> ring_node(Next, Self) end end),
    Last = lists:foldl(fun(_, Next) -> spawn(fun() -> ring_node(Next, Self) end) end, First, lists:seq(2, 1000)),
    First ! {next, Last},
    print("ring", per_second(Hops, fun() -> First ! Hops, receive done -> ok end end));
measure("idle_bytes_supervised", Count) ->
    ets:new(names, [named_table, public, {read_concurrency, true}]),
    {ok, Supervisor} = supervisor:start_link(?MODULE, supervisor),
    Before = resident(),
    [{ok, _} = supervisor:start_child(Supervisor, [N]) || N <- lists:seq(1, Count)],
    print("idle_bytes_supervised", (resident() - Before) / Count);
measure("table_read_1k", Count) -> table_reads("table_read_1k", 1000, Count);
measure("table_read_1m", Count) -> table_reads("table_read_1m", 1000000, Count);
measure("table_write", Count) ->
    Table = table(1000, [{write_concurrency, auto}]),
    print("table_write", on_both(Count, fun(Key) -> ets:insert(Table, {Key, Key}) end, 1000));
measure("table_counter", Count) ->
    Table = table(1, [{write_concurrency, auto}]),
    print("table_counter", on_both(Count, fun(_) -> ets:update_counter(Table, 0, 1) end, 1)).

table_reads(Name, Keys, Count) ->
    Table = table(Keys, [{read_concurrency, true}]),
    print(Name, on_both(Count, fun(Key) -> ets:lookup_element(Table, Key, 2) end, Keys)).

table(Keys, Options) ->
    Table = ets:new(table, [set, public | Options]),
    [ets:insert(Table, {Key, Key}) || Key <- lists:seq(0, Keys - 1)],
    Table.

%% The same work on two schedulers at once, half of it each. The keys come in strides, which costs less than dice.
on_both(Count, Work, Keys) ->
    Self = self(),
    Workers = [spawn_opt(fun() ->
        receive go -> ok end,
        strides(Count div 2, Work, Scheduler * 17 rem Keys, Keys),
        Self ! done
    end, [{scheduler, Scheduler}]) || Scheduler <- [1, 2]],
    per_second(Count, fun() ->
        [Worker ! go || Worker <- Workers],
        [receive done -> ok end || _ <- Workers]
    end).

strides(0, _, _, _) -> ok;
strides(Left, Work, Key, Keys) ->
    Work(Key),
    strides(Left - 1, Work, (Key + 7919) rem Keys, Keys).

%% A supervised server with a name: a row of an ETS table, found as `{via, beam, Name}`.
start_named(N) -> gen_server:start_link({via, ?MODULE, <<"session:", (integer_to_binary(N))/binary>>}, ?MODULE, [], []).
register_name(Name, Pid) -> case ets:insert_new(names, {Name, Pid}) of true -> yes; false -> no end.
unregister_name(Name) -> ets:delete(names, Name).
whereis_name(Name) -> case ets:lookup(names, Name) of [{_, Pid}] -> Pid; [] -> undefined end.
send(Name, Message) -> whereis_name(Name) ! Message.

idle() -> receive stop -> ok end.

%% In batches, as ours does: spawned, watched, ended, and known to be down.
spawn_exit(0) -> ok;
spawn_exit(Batches) ->
    [begin {Pid, _} = spawn_monitor(fun idle/0), exit(Pid, kill) end || _ <- lists:seq(1, 100)],
    [receive {'DOWN', _, _, _, _} -> ok end || _ <- lists:seq(1, 100)],
    spawn_exit(Batches - 1).

calls(_, 0) -> ok;
calls(Pid, Left) ->
    _ = gen_server:call(Pid, {get, Left}),
    calls(Pid, Left - 1).

ring_node(Next, Judge) ->
    receive
        0 -> Judge ! done;
        Left -> Next ! Left - 1, ring_node(Next, Judge)
    end.

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(binary_to_list(Text), " "),
    list_to_integer(Pages) * 4096.

init([]) -> {ok, 0};
init(supervisor) ->
    {ok, {#{strategy => simple_one_for_one},
          [#{id => child, start => {?MODULE, start_named, []}, restart => temporary}]}}.
handle_call({get, Value}, _, State) -> {reply, Value + 1, State}.
handle_cast(_, State) -> {noreply, State}.
