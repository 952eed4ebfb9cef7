using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>What is done with a flow, when, and why not: in virtual time, over a scripted kernel.</summary>
public sealed class ReclassifierTests
{
    [Fact]
    public void A_translated_flow_that_a_set_gains_after_its_start_is_deleted_at_the_next_look()
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        world.Start(flow);
        world.Pass(0.4);
        world.Set.Add(1);
        Assert.Empty(world.DeletedFlows);
        world.Pass(0.2);
        Assert.Equal(flow, Assert.Single(world.DeletedFlows));
    }

    [Fact]
    public void A_routed_flow_is_marked_and_nothing_else()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true, mark: ScriptedWorld.Wan1 | 0x3);
        world.Start(flow);
        Assert.Equal((flow.Original, ScriptedWorld.Wan2, 0x3f00u), Assert.Single(world.Remarked));
        Assert.Equal(ScriptedWorld.Wan2 | 0x3, world.Table[flow.Original].Mark);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Moved));
    }

    [Fact]
    public void Looks_end_after_the_last_one()
    {
        ScriptedWorld world = new();
        world.Start(world.Flow());
        world.Pass(4.9);
        Assert.Equal(3, world.Counters.Looks); // at once, 0.5 s, 2 s
        world.Pass(0.2);
        Assert.Equal(4, world.Counters.Looks);
        world.Pass(100);
        Assert.Equal(4, world.Counters.Looks);
        Assert.Null(world.Reclassifier.NextDue);
    }

    [Fact]
    public void A_flow_on_the_right_path_is_left_alone()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow(mark: ScriptedWorld.Wan2));
        world.Start(world.Flow(destination: 2));
        world.Pass(10);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(0, world.Counters.Misplaced);
    }

    [Fact]
    public void Flows_to_one_destination_with_one_mark_are_asked_about_once()
    {
        ScriptedWorld world = new();
        for (int port = 1; port <= 100; port++)
            world.Start(world.Flow(port: port));
        Assert.Equal(1, world.Set.Asked);
        world.Start(world.Flow(port: 101, mark: ScriptedWorld.Wan2));
        Assert.Equal(2, world.Set.Asked);
        world.Start(world.Flow(destination: 2));
        Assert.Equal(3, world.Set.Asked);
    }

    [Theory]
    [InlineData(QuestionFields.Mark, 1)]
    [InlineData(QuestionFields.SourcePort, 100)]
    public void What_an_answer_depends_on_is_asked_for(QuestionFields fields, int asked)
    {
        ScriptedWorld world = new();
        world.Set.Fields = fields;
        ScriptedWorld other = new(); // the chain reads the fields when it is made
        other.Set.Fields = fields;
        ClassifierChain chain = new([other.Set]);
        HashSet<FlowQuestion> questions = [];
        for (int port = 1; port <= 100; port++)
            questions.Add(new FlowQuestion(world.Flow(port: port).Original, 0, "wan1").Reduce(chain.Fields));
        Assert.Equal(asked, questions.Count);
    }

    [Fact]
    public void An_answer_stands_no_longer_than_its_sets_entry()
    {
        ScriptedWorld world = new(options => options.Mode = ReclassifyMode.DryRun);
        world.Set.Add(1, "wan1", validFor: TimeSpan.FromSeconds(1));
        world.Start(world.Flow(port: 1));
        world.Pass(0.9);
        world.Start(world.Flow(port: 2));
        Assert.Equal(1, world.Set.Asked);
        world.Pass(0.2);
        world.Start(world.Flow(port: 3));
        Assert.Equal(2, world.Set.Asked);
    }

    [Fact]
    public void The_set_in_the_kernel_has_the_last_word()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Set.Source = Verdict.None;
        world.Start(world.Flow());
        Assert.Equal(1, world.Set.Confirmed);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(1, world.Counters.Of(Refusal.NotConfirmed));
        world.Set.Source = null;
        world.Pass(0.6);
        Assert.Single(world.DeletedFlows);
    }

    [Fact]
    public void A_successor_with_the_same_tuple_is_not_touched()
    {
        ScriptedWorld world = new();
        Flow old = world.Flow();
        world.Start(old);
        world.Flow(); // another id
        world.Set.Add(1);
        world.Pass(6);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(1, world.Counters.Of(Refusal.Gone));
    }

    [Theory]
    [InlineData("closing")]
    [InlineData("destination_nat")]
    [InlineData("helper")]
    [InlineData("protocol")]
    [InlineData("tcp_loose")]
    [InlineData("no_mark")]
    public void What_would_harm_is_refused(string reason)
    {
        ScriptedWorld world = new(wan2: reason == "no_mark" ? new UplinkPath { Name = "wan2", Devices = ["wan2"] } : null);
        world.Set.Add(1);
        Flow flow = world.Flow(protocol: reason == "protocol" ? IpProtocol.Sctp : IpProtocol.Tcp, isRouted: reason == "no_mark");
        switch (reason)
        {
            case "closing":
                flow.ProtocolState = (byte)TcpState.FinWait;
                break;
            case "destination_nat":
                flow.Reply.Source = flow.Original.Source;
                break;
            case "helper":
                flow.Extras = new FlowExtras { Helper = "ftp" };
                break;
            case "tcp_loose":
                world.IsTcpLoose = false;
                break;
        }

        world.Table[flow.Original] = flow;
        world.Start(flow);
        world.Pass(300);
        Assert.Empty(world.DeletedFlows);
        Assert.Empty(world.Remarked);
        Assert.Single(world.Log.Lines, line => line.StartsWith("refused tcp src=10.0.0.2", StringComparison.Ordinal) || line.StartsWith("refused sctp", StringComparison.Ordinal));
        Assert.Contains(world.Log.Lines, line => line.Contains($": {reason}", StringComparison.Ordinal));
    }

    /// <summary>A SYN that is sent again makes an entry; the acknowledgement of a SYN/ACK that has passed makes none.</summary>
    [Theory]
    [InlineData(TcpState.SynSent, 1)]
    [InlineData(TcpState.SynReceived, 0)]
    public void A_connection_that_is_only_asked_for_needs_no_loose_tracking(TcpState state, int deleted)
    {
        ScriptedWorld world = new() { IsTcpLoose = false };
        world.Set.Add(1);
        Flow flow = world.Flow();
        flow.ProtocolState = (byte)state;
        world.Table[flow.Original] = flow;
        world.Start(flow);
        Assert.Equal(deleted, world.DeletedFlows.Count);
        Assert.Equal(1 - deleted, world.Counters.Of(Refusal.TcpLoose));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_flow_that_is_not_translated_is_deleted_where_the_wanted_path_translates(bool isLoose)
    {
        ScriptedWorld world = new(wan2: new UplinkPath { Name = "wan2", Mark = new MarkMatch(ScriptedWorld.Wan2, 0x3f00), Sources = [new IpPrefix(ScriptedWorld.ScriptedSet.Address(200), 32, FlowFamily.IPv4)] })
        {
            IsTcpLoose = isLoose,
        };
        world.Set.Add(1);
        world.Start(world.Flow(isRouted: true));
        Assert.Empty(world.Remarked);
        Assert.Equal(isLoose ? 1 : 0, world.DeletedFlows.Count);
        Assert.Equal(isLoose ? 0 : 1, world.Counters.Of(Refusal.TcpLoose));
    }

    [Fact]
    public void A_path_that_comes_up_is_taken_then()
    {
        ScriptedWorld world = new() { Proof = Refusal.PathDown };
        world.Set.Add(1);
        Flow flow = world.Flow();
        world.Start(flow);
        world.Pass(10);
        Assert.Empty(world.DeletedFlows);
        world.Proof = Refusal.None;
        for (int second = 0; second < 20; second++)
        {
            world.Send(flow);
            world.Pass(0.5);
            if (world.DeletedFlows.Count > 0)
                break;
            world.Send(flow);
            world.Pass(0.5);
            if (world.DeletedFlows.Count > 0)
                break;
        }

        Assert.Single(world.DeletedFlows);
        Assert.Single(world.Log.Lines, line => line.Contains(": path_down", StringComparison.Ordinal)); // told once
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_old_flow_goes_only_while_its_client_sends(bool isSending)
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        flow.StartTime -= 3_600_000_000_000;
        world.Table[flow.Original] = flow;
        world.Set.Add(1);
        world.Start(flow);
        for (int i = 0; i < 10; i++)
        {
            world.Pass(0.2);
            if (isSending && world.DeletedFlows.Count == 0)
                world.Send(flow);
        }

        Assert.Equal(isSending ? 1 : 0, world.DeletedFlows.Count);
        Assert.Equal(isSending ? 0 : 1, world.Counters.Of(Refusal.Idle));
    }

    [Theory]
    [InlineData(1, 52, false)] // the server pushes now and then: after a deletion its next packet would come first
    [InlineData(20, 52, true)] // a download: the next acknowledgement comes at once
    [InlineData(1, 120, true)]
    public void A_client_that_only_acknowledges_is_idle_unless_it_is_busy_with_it(int packets, int bytes, bool isActive)
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        flow.StartTime -= 3_600_000_000_000;
        world.Table[flow.Original] = flow;
        world.Set.Add(1);
        world.Start(flow);
        world.Pass(0.5);
        world.Send(flow, (ulong)packets, (ulong)bytes);
        world.Pass(0.6);
        Assert.Equal(isActive ? 1 : 0, world.DeletedFlows.Count);
        Assert.Equal(isActive ? 0 : 1, world.Counters.Of(Refusal.Idle));
    }

    [Theory]
    [InlineData(432_000u, 1)]
    [InlineData(431_000u, 0)]
    [InlineData(300u, 1)] // data is not acknowledged
    [InlineData(290u, 0)]
    [InlineData(500_000u, 1)] // the setting was lowered since
    public void Without_accounting_the_timeout_tells_idleness(uint timeout, int deleted)
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        flow.Present &= ~(FlowFields.Counters | FlowFields.StartTime);
        flow.Present |= FlowFields.Timeout;
        flow.Timeout = timeout;
        world.Table[flow.Original] = flow;
        world.Set.Add(1);
        world.Start(flow);
        Assert.Equal(deleted, world.DeletedFlows.Count);
    }

    [Fact]
    public void A_deleted_flow_that_comes_back_on_the_wanted_path_has_moved()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow());
        world.Pass(0.05);
        world.Start(world.Flow(mark: ScriptedWorld.Wan2, port: 40001)); // reconnected
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Moved));
        Assert.Contains(world.Log.Lines, static line => line.StartsWith("moved tcp src=10.0.0.2", StringComparison.Ordinal) && line.EndsWith("after 50 ms", StringComparison.Ordinal));
        world.Pass(100);
        Assert.Equal(0, world.Reclassifier.Status.Pending);
    }

    [Fact]
    public void A_flow_that_comes_back_on_the_same_path_is_left_alone_for_a_pause_that_doubles()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        List<double> deletedAt = [];
        Flow flow = world.Flow();
        world.Start(flow);
        for (double now = 0; now < 300; now += 0.5)
        {
            if (world.DeletedFlows.Count > deletedAt.Count)
            {
                deletedAt.Add(now);
                world.Pass(0.1);
                flow = world.Flow();
                world.Start(flow); // the client's next packet, marked as before
            }

            world.Send(flow);
            world.Pass(0.5);
        }

        Assert.InRange(deletedAt.Count, 3, 4); // 0, 30 s, 60 s later, 120 s later, as the looks after 1, 2, 4 … s find it
        Assert.True(world.Counters.Of(ActionOutcome.Looped) >= 3);
        Assert.True(world.Counters.Of(Refusal.Flapping) > 0);
    }

    /// <summary>As when mwan3's pings of wan2 are lost while its link is up: its rules pass wan2 over, its routes do not.</summary>
    [Fact]
    public void A_path_that_the_gateway_does_not_take_costs_few_flows_and_is_tried_by_one_at_a_time()
    {
        ScriptedWorld world = new();
        for (int destination = 1; destination <= 40; destination++)
        {
            world.Set.Add(destination);
            world.Start(world.Flow(destination));
            if (world.DeletedFlows.Count == destination)
                ComeBack(ScriptedWorld.Wan1);
        }

        Assert.Equal(PathGuard.InARow, world.DeletedFlows.Count);
        Assert.Equal(PathGuard.InARow, world.Counters.Of(ActionOutcome.Looped));
        Assert.InRange(PassUntilOneIsTried(), 28, 45); // the others are looked at after 1, 2, 4 … s
        Assert.Equal(PathGuard.InARow + 1, world.DeletedFlows.Count);
        ComeBack(ScriptedWorld.Wan1);
        Assert.InRange(PassUntilOneIsTried(), 59, 130); // twice as long
        Assert.Equal(PathGuard.InARow + 2, world.DeletedFlows.Count);
        Begin(50);
        Assert.Equal(PathGuard.InARow + 2, world.DeletedFlows.Count); // until it is known what became of that one
        ComeBack(ScriptedWorld.Wan2); // the gateway takes it again
        int before = world.DeletedFlows.Count;
        Begin(51);
        Begin(52);
        Assert.Equal(before + 2, world.DeletedFlows.Count);

        void ComeBack(uint mark)
        {
            FlowTuple last = world.DeletedFlows[^1].Original;
            world.Pass(0.05);
            world.Start(world.Flow((int)(last.Destination.Low & 0xff), mark));
        }

        void Begin(int destination)
        {
            world.Set.Add(destination);
            world.Start(world.Flow(destination));
        }

        double PassUntilOneIsTried()
        {
            int deleted = world.DeletedFlows.Count;
            double seconds = 0;
            for (; world.DeletedFlows.Count == deleted && seconds < 300; seconds += 0.5)
            {
                foreach (Flow flow in world.Table.Values.ToArray())
                    world.Send(flow);
                world.Pass(0.5);
            }

            return seconds;
        }
    }

    [Fact]
    public void Without_the_guard_it_is_deleted_for_ever()
    {
        ScriptedWorld world = new(static options => options.FlapGuard.IsOn = false);
        world.Set.Add(1);
        world.Start(world.Flow());
        int deleted = 0;
        for (int i = 0; i < 100; i++)
        {
            if (world.DeletedFlows.Count > deleted)
            {
                deleted = world.DeletedFlows.Count;
                world.Start(world.Flow());
            }

            world.Pass(0.1);
        }

        Assert.True(world.DeletedFlows.Count >= 90, $"only {world.DeletedFlows.Count}");
    }

    [Fact]
    public void A_connection_that_is_never_heard_of_again_hangs()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow());
        world.Pass(4.9);
        Assert.Equal(0, world.Counters.Of(ActionOutcome.Hung));
        world.Pass(0.2);
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Hung));
    }

    [Theory]
    [InlineData(IpProtocol.Udp, false)]
    [InlineData(IpProtocol.Tcp, true)]
    public void Silence_proves_nothing_without_a_connection_or_after_a_loss(IpProtocol protocol, bool isLost)
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow(protocol: protocol));
        if (isLost)
            world.Gap();
        world.Pass(6);
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Unknown));
        Assert.Equal(0, world.Counters.Of(ActionOutcome.Hung));
    }

    [Fact]
    public void Many_at_once_are_spread_over_time()
    {
        ScriptedWorld world = new(static options => options.ActionsPerSecond = 10);
        world.Set.Add(1);
        Flow[] flows = [.. Enumerable.Range(1, 60).Select(client => world.Flow(client: $"10.0.0.{client}"))];
        foreach (Flow flow in flows)
            world.Start(flow);
        Assert.Equal(20, world.DeletedFlows.Count);
        for (int i = 0; i < 70; i++)
        {
            world.Pass(0.5);
            foreach (Flow flow in flows.Where(flow => world.Table.ContainsKey(flow.Original)))
                world.Send(flow);
        }

        Assert.Equal(60, world.DeletedFlows.Count);
    }

    [Fact]
    public void However_many_they_are_each_has_its_turn()
    {
        ScriptedWorld world = new(static options => options.ActionsPerSecond = 1);
        world.Set.Add(1);
        for (int client = 1; client <= 600; client++)
            world.Start(world.Flow(client: $"10.0.{client >> 8}.{client & 255}", isRouted: true));
        world.Pass(900); // far more than a flow that is refused for other reasons is followed
        Assert.Equal(600, world.Remarked.Count);
        Assert.Null(world.Reclassifier.NextDue);
    }

    [Fact]
    public void The_kernel_is_asked_about_so_many_misplaced_flows_a_second_and_no_more()
    {
        ScriptedWorld world = new(static options => options.ActionsPerSecond = 10) { Proof = Refusal.PathDown };
        world.Set.Add(1);
        for (int client = 1; client <= 1000; client++)
            world.Start(world.Flow(client: $"10.0.{client >> 8}.{client & 255}"));
        Assert.Equal(400, world.Set.Confirmed); // two seconds' worth
        Assert.Equal(600, world.Counters.Of(Refusal.RateLimit));
    }

    [Fact]
    public void The_budget_is_for_one_client_and_port()
    {
        ScriptedWorld world = new(static options => options.FlapGuard.Budget = 2);
        world.Set.Add(1);
        for (int port = 1; port <= 3; port++)
            world.Start(world.Flow(port: port));
        Assert.Equal(2, world.DeletedFlows.Count);
        Assert.Equal(1, world.Counters.Of(Refusal.Flapping));
        world.Start(world.Flow(client: "10.0.0.3"));
        Assert.Equal(3, world.DeletedFlows.Count);
    }

    [Fact]
    public void Dry_run_only_tells()
    {
        ScriptedWorld world = new(static options => options.Mode = ReclassifyMode.DryRun);
        world.Set.Add(1);
        world.Start(world.Flow());
        world.Start(world.Flow(isRouted: true, port: 2));
        Assert.Empty(world.DeletedFlows);
        Assert.Empty(world.Remarked);
        Assert.Contains(world.Log.Lines, static line => line.StartsWith("would delete tcp", StringComparison.Ordinal));
        Assert.Contains(world.Log.Lines, static line => line.StartsWith("would re-mark tcp", StringComparison.Ordinal));
    }

    [Fact]
    public void A_dry_run_moves_nothing_so_nothing_flaps()
    {
        ScriptedWorld world = new(static options => options.Mode = ReclassifyMode.DryRun);
        world.Set.Add(1);
        for (int port = 1; port <= 20; port++) // more than FlapGuard:Budget
            world.Start(world.Flow(port: port));
        Assert.Equal(20, world.Counters.Deleted);
        Assert.Equal(0, world.Counters.Of(Refusal.Flapping));
    }

    [Fact]
    public void The_end_that_a_deletion_causes_is_known_as_ours()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(), other = world.Flow(destination: 2);
        world.Start(flow);
        Assert.Equal("reclassify", world.Ends.Take(flow));
        Assert.Null(world.Ends.Take(flow));
        Assert.Null(world.Ends.Take(other));
    }

    [Fact]
    public void A_kernel_that_fails_is_asked_again_later()
    {
        ScriptedWorld world = new() { Failure = new NetlinkException("reading conntrack entry", Errno.ENOBUFS) };
        world.Set.Add(1);
        Flow flow = world.Flow();
        world.Start(flow);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(1, world.Counters.Of(Refusal.KernelError));
        world.Pass(2);
        Assert.Single(world.DeletedFlows);
    }

    [Theory]
    [InlineData(FlowStatus.Offload)]
    [InlineData(FlowStatus.HardwareOffload)]
    public void A_flow_whose_packets_pass_the_rules_by_is_deleted_not_marked(FlowStatus status)
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true);
        flow.Status |= status;
        world.Table[flow.Original] = flow;
        world.Start(flow);
        Assert.Empty(world.Remarked);
        Assert.Single(world.DeletedFlows);
    }

    [Fact]
    public void An_answer_that_never_comes_is_not_waited_for_for_ever()
    {
        ScriptedWorld world = new();
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        world.Start(world.Flow());
        world.Pass(60);
        Assert.Equal(1, world.Reclassifier.Status.Rechecks);
        world.Pass(60);
        Assert.Equal(0, world.Reclassifier.Status.Rechecks);
    }

    [Fact]
    public void An_answer_that_names_no_path_at_all_is_counted_as_one_of_an_unknown_path()
    {
        ScriptedWorld world = new();
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Path);
        world.Start(world.Flow());
        Assert.Equal(1, world.Counters.UnknownPaths);
    }

    [Fact]
    public void An_answer_that_comes_later_moves_the_flow()
    {
        ScriptedWorld world = new();
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        Flow flow = world.Flow(), alike = world.Flow(port: 2);
        world.Start(flow);
        world.Start(alike);
        world.Pass(1);
        Assert.Empty(world.DeletedFlows);
        world.Reclassifier.OnAnswer(new FlowQuestion(flow.Original, flow.Mark, "wan1"), Verdict.To("wan2", "external"));
        world.Pass(0.2);
        Assert.Equal([flow, alike], world.DeletedFlows.OrderBy(static deleted => deleted.Id)); // asked at the source it still pends: the answer stands
    }

    [Fact]
    public void No_opinion_that_comes_later_is_asked_for_again_at_the_next_looks()
    {
        ScriptedWorld world = new(static options => options.VerdictTime = TimeSpan.FromMinutes(1));
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        Flow flow = world.Flow();
        FlowQuestion question = new(flow.Original, flow.Mark, "wan1");
        world.Start(flow);
        world.Reclassifier.OnAnswer(question, Verdict.None);
        int asked = world.Set.Asked;
        world.Pass(3);
        Assert.True(world.Set.Asked > asked);
        world.Reclassifier.OnAnswer(question, Verdict.To("wan2", "external"));
        world.Pass(3);
        Assert.Equal(flow, Assert.Single(world.DeletedFlows));
    }

    [Theory]
    [InlineData(1, 1)] // no answer within the deadline
    [InlineData(null, 0)] // a rule that says keep
    public void A_flow_that_is_kept_for_a_time_is_looked_at_again(int? seconds, int deleted)
    {
        ScriptedWorld world = new();
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Keep, ValidFor: seconds is { } time ? TimeSpan.FromSeconds(time) : null);
        world.Start(world.Flow());
        world.Pass(0.4);
        world.Set.Add(1);
        world.Pass(6);
        Assert.Equal(deleted, world.DeletedFlows.Count);
    }

    [Fact]
    public void A_flow_that_is_refused_does_not_make_the_external_one_be_asked_for_ever()
    {
        ScriptedWorld world = new() { IsTcpLoose = false };
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        Flow flow = world.Flow();
        world.Start(flow);
        world.Reclassifier.OnAnswer(new FlowQuestion(flow.Original, flow.Mark, "wan1"), Verdict.To("wan2", "external"));
        world.Pass(60);
        Assert.InRange(world.Set.Asked, 1, 2);
        Assert.Equal(1, world.Counters.Of(Refusal.TcpLoose));
    }

    [Fact]
    public async Task A_copy_that_is_out_of_date_is_not_confirmed_by_a_later_classifier()
    {
        ScriptedWorld.ScriptedSet first = new(), second = new();
        first.Add(1);
        first.Source = Verdict.None;
        second.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        await using ClassifierChain chain = new([first, second]);
        FlowQuestion question = new(new ScriptedWorld().Flow().Original, 0, "wan1");
        Assert.Equal(VerdictKind.None, chain.Confirm(question, chain.Classify(question)).Kind);
        first.Members.Clear();
        Assert.Equal("wan2", chain.Confirm(question, Verdict.To("wan2", "second")).Path);
    }

    [Fact]
    public void What_a_set_has_gained_is_looked_at_again_for_flows_of_any_age()
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        world.Start(flow);
        world.Pass(60);
        world.Set.Add(1);
        AddressRange gained = new(FlowFamily.IPv4, ScriptedWorld.ScriptedSet.Address(1), ScriptedWorld.ScriptedSet.Address(1));
        world.Reclassifier.Forget(new AddressRanges([gained]));
        world.Reclassifier.LookAgain(flow);
        world.Send(flow);
        world.Pass(1.1);
        Assert.Single(world.DeletedFlows);
    }

    [Theory]
    [InlineData(1)] // one question, the others answered from memory
    [InlineData(200)] // all of them asked
    public void A_look_allocates_nothing(int destinations)
    {
        ScriptedWorld world = new();
        FlowChangeBatch batch = new();
        for (int i = 0; i < 200; i++)
        {
            ref FlowChange change = ref batch.Add();
            change.Kind = FlowChangeKind.Started;
            change.Flow = world.Flow(destination: 1 + (i % destinations), port: i);
        }

        for (int i = 0; i < 50; i++) // compiled; answers, wheel and lists have grown to what they need
        {
            world.Time.Advance(TimeSpan.FromMilliseconds(300));
            world.Reclassifier.OnChanges(batch);
            world.Reclassifier.Advance();
        }

        world.Time.Advance(TimeSpan.FromMilliseconds(300));
        long looks = world.Counters.Looks, asked = world.Counters.Questions, before = GC.GetAllocatedBytesForCurrentThread();
        world.Reclassifier.OnChanges(batch);
        world.Reclassifier.Advance();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(destinations, world.Counters.Questions - asked);
        Assert.InRange(world.Counters.Looks - looks, 400, 800); // those that begin, and those looked at again
    }
}
