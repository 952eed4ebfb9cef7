using ConntrackStream.Kernel.Tests.Gate;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Kernel.Tests.Delete;

/// <summary>
/// Connections that are alive although the kernel's table has no entry for them, each brought about on the real kernel: their server sends
/// later, and only the map's key lets it through. With the rules off (negative control) the key is deleted and the connection cut.
/// </summary>
public sealed class EndMeaningTests
{
    private const ushort Port = 40000;
    private const string Settings = "net.netfilter.nf_conntrack_";

    public enum Request
    {
        Flush,
        ByTuple,
        OfOurOwn,
    }

    [Theory]
    [InlineData(Request.Flush, false, true)]
    [InlineData(Request.Flush, true, true)]
    [InlineData(Request.ByTuple, false, true)]
    [InlineData(Request.OfOurOwn, false, true)]
    [InlineData(Request.Flush, false, false)]
    [InlineData(Request.Flush, true, false)]
    public async Task An_entry_deleted_by_request(Request request, bool wideValues, bool weighs)
    {
        using GateRig gate = new(wideValues: wideValues);
        await using CleaningRig rig = new(gate, weighsEnds: weighs);
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        GateConnection quiet = gate.Tcp(Port), closed = gate.Tcp(Port + 2);
        await MatchAsync(rig, keys: 3);
        switch (request)
        {
            case Request.Flush:
                gate.Node.Exec("conntrack", "-F");
                break;
            case Request.ByTuple:
                gate.Node.Exec("conntrack", "-D", "-p", "tcp", "--orig-port-src", $"{Port}");
                break;
            default:
                Assert.True(gate.Forget(quiet.Original));
                break;
        }

        Eventually.True(() => !gate.IsTracked(quiet.Original));
        if (request != Request.Flush)
        {
            gate.MakeStale(closed);
            Eventually.True(() => !gate.Map.Has(closed.Key)); // what is closed goes as quickly as ever
        }

        await DecideAsync(gate, rig, quiet, weighs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_half_closed_connection_whose_timer_runs_out(bool weighs)
    {
        using GateRig gate = new();
        gate.Node.Sysctl($"{Settings}tcp_timeout_close_wait", "1");
        await using CleaningRig rig = new(gate, weighsEnds: weighs);
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        GateConnection half = gate.Tcp(Port);
        await MatchAsync(rig, keys: 2);
        half.HalfClose();
        Eventually.True(() => !gate.IsTracked(half.Original)); // a GET reaps what has expired
        await DecideAsync(gate, rig, half, weighs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UDP_that_is_pushed_less_often_than_its_timeout(bool weighs)
    {
        using GateRig gate = new();
        gate.Node.Sysctl($"{Settings}udp_timeout", "1");
        gate.Node.Sysctl($"{Settings}udp_timeout_stream", "1");
        await using CleaningRig rig = new(gate, weighsEnds: weighs);
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        await MatchAsync(rig, keys: 1); // the owner's interface is known before the end
        GateConnection rare = gate.Udp(Port);
        Eventually.True(() => !gate.IsTracked(rare.Original));
        await DecideAsync(gate, rig, rare, weighs);
    }

    [Fact]
    public async Task UDP_that_stays_silent_goes_when_its_patience_is_over()
    {
        using GateRig gate = new();
        gate.Node.Sysctl($"{Settings}udp_timeout", "1");
        gate.Node.Sysctl($"{Settings}udp_timeout_stream", "1");
        await using CleaningRig rig = new(gate, static options => options with { UdpPatience = TimeSpan.FromSeconds(1) }, weighsEnds: true);
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        await MatchAsync(rig, keys: 1);
        GateConnection over = gate.Udp(Port);
        Eventually.True(() => !gate.IsTracked(over.Original));
        Eventually.True(() => !gate.Map.Has(over.Key)); // without an audit
        Assert.Equal((1, 1, 0), (rig.Counters.EndsHeld, rig.Counters.NominatedByEnd, rig.Counters.NominatedByMisses));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task Where_only_a_SYN_makes_an_entry_and_the_table_was_flushed(bool wideValues, bool weighs)
    {
        using GateRig gate = new(wideValues: wideValues);
        gate.Node.Sysctl($"{Settings}tcp_loose", "0");
        await using CleaningRig rig = new(gate, weighsEnds: weighs);
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        GateConnection connection = gate.Tcp(Port);
        await MatchAsync(rig, keys: 2);
        gate.Node.Exec("conntrack", "-F");
        await DecideAsync(gate, rig, connection, weighs);
        if (!weighs)
            return;
        connection.Ask();
        Assert.False(gate.IsTracked(connection.Original)); // as alive as ever, and never in the table again
        await HeldAsync(rig);
        GateAssert.Intact(gate, connection);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_association_of_SCTP_whose_entry_DATA_does_not_make_again(bool weighs)
    {
        using GateRig gate = new();
        await using CleaningRig rig = new(gate, weighsEnds: weighs);
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        SctpAssociation association = gate.Sctp(Port);
        Assert.True(gate.IsTracked(association.Original));
        await MatchAsync(rig, keys: 2);
        Assert.True(gate.Forget(association.Original));
        if (!weighs)
        {
            Eventually.True(() => !gate.Map.Has(association.Key));
            Assert.False(association.DataArrives());
            return;
        }

        Assert.True(association.DataArrives());
        Assert.False(gate.IsTracked(association.Original));
        await HeldAsync(rig);
        Assert.True(association.DataArrives());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_flush_before_the_service_began(bool weighs)
    {
        using GateRig gate = new();
        GateConnection quiet = gate.Tcp(Port), other = gate.Tcp(Port + 1);
        gate.Node.Exec("conntrack", "-F");
        other.Ask(); // back in the table
        await using CleaningRig rig = new(gate, weighsEnds: weighs);
        await rig.StartAsync();
        await DecideAsync(gate, rig, quiet, weighs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_flush_that_an_earlier_service_saw_and_the_next_one_did_not(bool weighs)
    {
        using GateRig gate = new();
        GateConnection quiet, other;
        await using (CleaningRig earlier = new(gate, weighsEnds: true))
        {
            await earlier.StartAsync();
            (quiet, other) = (gate.Tcp(Port), gate.Tcp(Port + 1));
            await MatchAsync(earlier, keys: 2);
            gate.Node.Exec("conntrack", "-F");
            await HeldAsync(earlier);
        }

        other.Ask(); // back in the table
        await using CleaningRig rig = new(gate, weighsEnds: weighs); // has none of the other's memory, as after kill -9
        await rig.StartAsync();
        await DecideAsync(gate, rig, quiet, weighs);
    }

    /// <summary>All other times that could hold the key are over; only the rule about tcp_loose keeps it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)] // negative control: the rules are on, but a packet could make an entry
    public async Task Where_only_a_SYN_makes_an_entry_and_all_time_has_passed(bool loose)
    {
        TimeSpan second = TimeSpan.FromSeconds(1);
        using GateRig gate = new();
        gate.Node.Sysctl($"{Settings}tcp_loose", loose ? "1" : "0");
        gate.Node.Sysctl($"{Settings}tcp_timeout_close_wait", "1");
        gate.Node.Sysctl($"{Settings}udp_timeout", "1");
        gate.Node.Sysctl($"{Settings}udp_timeout_stream", "1");
        await using CleaningRig rig = new(gate, map => map with { TcpPatience = second, UdpPatience = second }, weighsEnds: true);
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        GateConnection half = gate.Tcp(Port);
        await MatchAsync(rig, keys: 2);
        half.HalfClose();
        Eventually.True(() => !gate.IsTracked(half.Original));
        Eventually.True(() => rig.Counters.EndsHeld == 1);
        GateConnection clock = gate.Udp(Port + 2); // its time is as long and begins later
        Eventually.True(() => !gate.IsTracked(clock.Original));
        Eventually.True(() => !gate.Map.Has(clock.Key));
        if (loose)
        {
            await Eventually.TrueAsync(async () => (await rig.AuditAsync()).Problem is null && !gate.Map.Has(half.Key));
            GateAssert.Cut(gate, half);
            return;
        }

        await HeldAsync(rig);
        GateAssert.Intact(gate, half);
    }

    [Fact]
    public async Task A_question_to_a_DNS_server_is_over_with_its_timer()
    {
        using GateRig gate = new();
        gate.Node.Sysctl($"{Settings}udp_timeout", "1");
        await using CleaningRig rig = new(gate, weighsEnds: true);
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        await MatchAsync(rig, keys: 1);
        GateConnection query = gate.Udp(Port, serverPort: 53);
        Eventually.True(() => !gate.IsTracked(query.Original));
        Eventually.True(() => !gate.Map.Has(query.Key));
        Assert.Equal((0, 1), (rig.Counters.EndsHeld, rig.Counters.NominatedByEnd));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Keys_under_NOTRACK_that_are_used_between_audits(bool weighs)
    {
        using GateRig gate = new(wideValues: true);
        gate.Tcp(Port + 1);
        GateConnection untracked = gate.Tcp(Port, GateRig.UntrackedPort);
        await using CleaningRig rig = new(gate, static map => map with { Grace = TimeSpan.FromMilliseconds(1) }, weighsEnds: weighs);
        await rig.StartAsync();
        for (int i = 0; i < 5; i++)
        {
            untracked.Ask();
            Assert.Null((await rig.AuditAsync()).Problem);
        }

        Assert.Equal((0, 0), (rig.Counters.NominatedByMisses, rig.Counters.Deleted));
        GateAssert.Intact(gate, untracked);
    }

    [Fact]
    public async Task Keys_under_NOTRACK_go_where_a_use_does_not_start_the_count_again()
    {
        using GateRig gate = new(wideValues: true);
        gate.Tcp(Port + 1);
        GateConnection untracked = gate.Tcp(Port, GateRig.UntrackedPort);
        await using CleaningRig rig = new(
            gate, static map => map with { Grace = TimeSpan.FromMilliseconds(1) }, levers: new MapLevers { CountsFromUse = false });
        await rig.StartAsync();
        await Eventually.TrueAsync(async () =>
        {
            if (gate.Map.Has(untracked.Key))
                untracked.Ask();
            return (await rig.AuditAsync()).Problem is null && rig.Counters.NominatedByMisses > 0;
        });
    }

    /// <summary>An audit has found each of the keys with its flow: ends are known from then on, and owners too.</summary>
    private static async Task MatchAsync(CleaningRig rig, int keys) =>
        await Eventually.TrueAsync(async () => (await rig.AuditAsync()).Matched == keys);

    private static async Task HeldAsync(CleaningRig rig)
    {
        // The tombstone of what has just been deleted is armed a moment after its key is gone.
        await Eventually.TrueAsync(async () => (await rig.AuditAsync()).Problem is null && rig.Status.Held > 0
            && rig.Status.Tombstones == rig.Status.Armed);
        Assert.Equal(0, rig.Counters.NominatedByMisses);
    }

    private static async Task DecideAsync(GateRig gate, CleaningRig rig, GateConnection connection, bool weighs)
    {
        if (weighs)
        {
            await HeldAsync(rig);
            GateAssert.Intact(gate, connection);
            return;
        }

        await Eventually.TrueAsync(async () => (await rig.AuditAsync()).Problem is null && !gate.Map.Has(connection.Key));
        GateAssert.Cut(gate, connection);
    }
}
