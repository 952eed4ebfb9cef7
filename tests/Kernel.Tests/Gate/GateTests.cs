using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Gate;

/// <summary>
/// The gate against the kernel: it opens, blocks and heals as a policy agent's datapath does, so that races can be shown on it.
/// </summary>
public class GateTests
{
    internal const ushort SourcePort = 40000;

    public static TheoryData<GateDirection, IpProtocol, bool, bool> Cases => new()
    {
        { GateDirection.TowardsPod, IpProtocol.Tcp, false, false },
        { GateDirection.TowardsPod, IpProtocol.Tcp, false, true },
        { GateDirection.TowardsPod, IpProtocol.Udp, true, false },
        { GateDirection.TowardsPod, IpProtocol.Udp, true, true },
        { GateDirection.FromPod, IpProtocol.Tcp, true, false },
        { GateDirection.FromPod, IpProtocol.Tcp, true, true },
        { GateDirection.FromPod, IpProtocol.Udp, false, false },
        { GateDirection.FromPod, IpProtocol.Udp, false, true },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_forward_packet_opens_the_gate_and_an_answer_needs_its_key(
        GateDirection direction, IpProtocol protocol, bool wideValues, bool ipv6)
    {
        using GateRig rig = new(direction, wideValues: wideValues, ipv6: ipv6);
        GateConnection connection = Open(rig, protocol);
        Assert.Equal([connection.Key], rig.Map.Keys());
        Assert.Equal(1, rig.Gate.Counts.Opened);
        GateAssert.Intact(rig, connection);
        Assert.True(rig.IsTracked(connection.Original));

        Assert.True(rig.Map.Delete(connection.Key));
        GateAssert.Cut(rig, connection);

        connection.Ask();
        Assert.Equal((true, 2), (rig.Map.Has(connection.Key), rig.Gate.Counts.Opened));
        Assert.True(connection.ReplyArrives(GateAssert.Patience));
    }

    [Fact]
    public void A_restored_key_lets_the_waiting_answer_through()
    {
        using GateRig rig = new();
        GateConnection connection = rig.Tcp(SourcePort);
        Assert.True(rig.Map.TryTake(connection.Key, out MapValue value));
        connection.Answer();
        Eventually.True(() => rig.Gate.Counts.ReplyDropped > 0);
        Assert.True(rig.Map.TryRestore(connection.Key, value));
        Assert.True(connection.AnswerArrives(GateAssert.Patience));
        Assert.Equal(1, rig.Gate.Counts.Opened); // the client had no part in it
        Assert.False(rig.Map.TryRestore(connection.Key, value));
    }

    [Fact]
    public void Reuse_of_a_stale_key_writes_nothing()
    {
        using GateRig rig = new();
        MapKey stale = rig.MakeStale(rig.Tcp(SourcePort));
        Assert.Equal(0, rig.Node.FlowCount);
        Assert.Equal([stale], rig.Map.Keys());

        GateConnection again = rig.Tcp(SourcePort);
        Assert.Equal((stale, 1), (again.Key, rig.Gate.Counts.Opened));
        Assert.True(again.ReplyArrives(GateAssert.Patience));
    }

    [Fact]
    public void Wide_values_say_when_a_packet_last_used_the_entry()
    {
        using GateRig rig = new(wideValues: true);
        GateConnection connection = rig.Udp(SourcePort);
        Assert.True(rig.Map.TryLookup(connection.Key, out MapValue opened));
        Assert.True(connection.ReplyArrives(GateAssert.Patience));
        Assert.True(rig.Map.TryLookup(connection.Key, out MapValue answered));
        connection.Ask();
        Assert.True(rig.Map.TryLookup(connection.Key, out MapValue asked));
        Assert.True(0 < opened.LastSeen && opened.LastSeen < answered.LastSeen && answered.LastSeen < asked.LastSeen);
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, 0, false)]
    [InlineData(IpProtocol.Udp, 7, false)]
    [InlineData(IpProtocol.Udp, 0, true)]
    [InlineData(IpProtocol.Tcp, 7, true)]
    public void A_masqueraded_NodePort_has_the_inverse_of_its_reply_tuple_as_key(IpProtocol protocol, ushort zone, bool ipv6)
    {
        using GateRig rig = new(nat: GateNat.MasqueradedNodePort, zone: zone, ipv6: ipv6);
        GateConnection connection = Open(rig, protocol);
        Assert.True(connection.ReplyArrives(GateAssert.Patience));

        OracleFlow flow = Assert.Single(Oracle.Dump(rig.Node));
        Assert.Equal(connection.Original, flow.Original);
        FlowTuple key = Assert.Single(rig.Map.Keys()).Tuple;
        Assert.Equal(connection.Key.Tuple, key);
        Assert.Equal((flow.Reply.Destination, flow.Reply.DestinationPort), (key.Source, key.SourcePort));
        Assert.Equal((flow.Reply.Source, flow.Reply.SourcePort), (key.Destination, key.DestinationPort));
        Assert.NotEqual((flow.Original.Source, flow.Original.Destination), (key.Source, key.Destination));
    }

    [Fact]
    public void A_masqueraded_connection_from_the_pod_has_its_original_tuple_as_key()
    {
        using GateRig rig = new(GateDirection.FromPod, GateNat.Masquerade);
        GateConnection connection = rig.Tcp(SourcePort);
        Assert.True(connection.ReplyArrives(GateAssert.Patience));
        OracleFlow flow = Assert.Single(Oracle.Dump(rig.Node));
        Assert.Equal(flow.Original, Assert.Single(rig.Map.Keys()).Tuple);
        Assert.NotEqual(flow.Original.Source, flow.Reply.Destination);
    }

    [Theory]
    [InlineData(GateDirection.TowardsPod, false)]
    [InlineData(GateDirection.FromPod, true)]
    public void Two_pings_share_a_key(GateDirection direction, bool ipv6)
    {
        using GateRig rig = new(direction, ipv6: ipv6);
        rig.Echo(id: 1);
        rig.Echo(id: 2);
        Eventually.True(() => rig.Gate.Counts.ReplyPassed == 2);
        Assert.Equal([rig.EchoKey], rig.Map.Keys());
        Assert.Equal((2, 1), (rig.Node.FlowCount, rig.Gate.Counts.Opened));
    }

    [Fact]
    public void A_held_datagram_has_its_key_and_no_entry_until_released()
    {
        using GateRig rig = new(GateDirection.FromPod);
        HeldDatagram held = rig.Hold(SourcePort);
        Eventually.True(() => rig.Gate.Counts.ForwardPassed == 1);
        Assert.Equal([held.Key], rig.Map.Keys());
        Assert.Equal((0, false), (rig.Node.FlowCount, rig.IsTracked(held.Original)));

        GateConnection connection = held.Release();
        Assert.Equal((1, true), (rig.Node.FlowCount, rig.IsTracked(held.Original)));
        Assert.Equal((held.Key, 1), (connection.Key, rig.Gate.Counts.ForwardPassed)); // the second fragment passed untouched
        Assert.True(connection.ReplyArrives(GateAssert.Patience));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    public void Untracked_connections_pass_the_gate_too(ushort zone)
    {
        using GateRig rig = new(zone: zone);
        GateConnection connection = rig.Tcp(SourcePort, GateRig.UntrackedPort);
        Assert.True(connection.ReplyArrives(GateAssert.Patience));
        Assert.True(rig.Map.Has(connection.Key));
        Assert.Equal(0, rig.Node.FlowCount);
    }

    [Fact]
    public void Nothing_is_left_behind()
    {
        string pin;
        using (GateRig rig = new())
        {
            pin = rig.Pin;
            Assert.Contains(Path.GetDirectoryName(pin)!, File.ReadAllText("/proc/self/mounts"), StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(Path.GetDirectoryName(pin)));
        Assert.DoesNotContain(Path.GetDirectoryName(pin)!, File.ReadAllText("/proc/self/mounts"), StringComparison.Ordinal);
    }

    internal static GateConnection Open(GateRig rig, IpProtocol protocol) =>
        protocol == IpProtocol.Tcp ? rig.Tcp(SourcePort) : rig.Udp(SourcePort);
}
