using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Checkpoint;

namespace ConntrackStream.Pipeline.Tests.Checkpoint;

public sealed class FlowCheckpointTests : IDisposable
{
    private const long Start = 1_770_091_506_789_012_345;

    private static readonly CheckpointIdentity Here = new(Guid.Parse("0d5c1c5e-7f0b-4b43-9d6a-2f3c6f1f1d11"), 4026531840);

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-checkpoint-").FullName;

    private string FilePath => Path.Join(_directory, FlowCheckpoint.FileName);

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Many_flows_of_all_kinds_keep_their_ids()
    {
        Random random = new(7);
        List<CheckpointedFlow> flows = [.. Enumerable.Range(0, 20_000).Select(i => RandomFlow(random, i))];
        Save(flows);
        using CheckpointedFlows lookup = FlowCheckpoint.Load(FilePath, Here);
        Assert.Null(lookup.Problem);
        Assert.Equal(flows.Count, lookup.Count);
        foreach (CheckpointedFlow flow in flows)
        {
            Assert.True(lookup.TryTake(Dumped(flow), out FlowId id));
            Assert.Equal(flow.Id, id);
            Flow other = Dumped(flow);
            other.Original.Zone++;
            Assert.False(lookup.TryTake(other, out _));
        }
    }

    [Fact]
    public void Addresses_of_one_network_chosen_to_collide_do_not()
    {
        const int count = 20_000;
        Save([.. Enumerable.Range(1, count).Select(static i => new CheckpointedFlow
        {
            Original = new FlowTuple
            {
                Family = FlowFamily.IPv6, Source = new IpAddress(1, (ulong)i << 32 | (uint)i), SourcePort = 1, Protocol = IpProtocol.Udp,
            },
            Id = new FlowId(1, (ulong)i),
        })]);
        using CheckpointedFlows lookup = FlowCheckpoint.Load(FilePath, Here);
        Assert.Equal(count, lookup.Count);
        Assert.InRange(lookup.Collisions, 1, 2 * count); // random: a third of a collision each; all in one chain: count²/2
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1_000_000, true)]
    [InlineData(-1_000_000, true)]
    [InlineData(1_000_001, false)]
    [InlineData(-1_000_001, false)]
    public void A_start_time_within_a_millisecond_decides(long difference, bool expected)
    {
        CheckpointedFlow known = Known(startTime: Start, counters: true);
        Flow dumped = Dumped(known);
        dumped.StartTime += difference;
        dumped.Id++; // whatever else differs
        dumped.OriginalPackets = dumped.ReplyPackets = 0;
        Assert.Equal(expected, Match(known, dumped));
    }

    /// <summary>The checkpoint has the time of its NEW, the dump its start.</summary>
    [Theory]
    [InlineData(1_000_000_000, true)]
    [InlineData(1_000_000_001, false)]
    [InlineData(-1_000_001, false)]
    public void With_the_same_conntrack_id_it_may_be_a_second_later(long later, bool expected)
    {
        CheckpointedFlow known = Known(startTime: Start, counters: false);
        Flow dumped = Dumped(known);
        dumped.StartTime += later;
        Assert.Equal(expected, Match(known, dumped));
    }

    /// <summary>
    /// A tuple that is used again mostly gets its predecessor's conntrack id; the predecessor may have ended after the checkpoint.
    /// </summary>
    [Theory]
    [InlineData(-2000, true)]
    [InlineData(2000, false)]
    public void What_began_after_the_checkpoint_is_another_flow(int milliseconds, bool expected)
    {
        long start = UnixTime.ToUnixTimeNanoseconds(TimeProvider.System.GetUtcNow()) + (milliseconds * 1_000_000L);
        CheckpointedFlow known = Known(start - 900_000_000, counters: false);
        Flow dumped = Dumped(known);
        dumped.StartTime = start;
        Assert.Equal(expected, Match(known, dumped));
    }

    [Theory]
    [InlineData(0u, 0, 0, true)]
    [InlineData(0u, 5, 9, true)]
    [InlineData(1u, 5, 9, false)] // another conntrack id
    [InlineData(0u, -1, 9, false)] // fewer packets
    [InlineData(0u, 5, -1, false)] // fewer bytes
    public void Without_start_times_the_id_and_counters_that_did_not_fall_decide(uint idDifference, int packets, int bytes, bool expected)
    {
        CheckpointedFlow known = Known(startTime: 0, counters: true);
        Flow dumped = Dumped(known);
        dumped.Id += idDifference;
        dumped.ReplyPackets = (ulong)((long)dumped.ReplyPackets + packets);
        dumped.ReplyBytes = (ulong)((long)dumped.ReplyBytes + bytes);
        Assert.Equal(expected, Match(known, dumped));
    }

    [Fact]
    public void A_start_time_known_on_one_side_only_does_not_decide()
    {
        CheckpointedFlow known = Known(startTime: Start, counters: true);
        Flow dumped = Dumped(known);
        dumped.Present &= ~FlowFields.StartTime;
        Assert.True(Match(known, dumped));
        dumped.Id++;
        Assert.False(Match(known, dumped));
    }

    [Theory]
    [InlineData(true, false, false)] // known counters must be there to be compared
    [InlineData(false, true, true)]
    [InlineData(false, false, true)] // accounting off before and after: the conntrack id is all there is
    public void Unknown_counters(bool before, bool after, bool expected)
    {
        CheckpointedFlow known = Known(startTime: 0, counters: before);
        Flow dumped = Dumped(known);
        dumped.Present = after ? dumped.Present | FlowFields.Counters : dumped.Present & ~FlowFields.Counters;
        Assert.Equal(expected, Match(known, dumped));
    }

    [Fact]
    public void After_a_boot_or_in_another_namespace_nothing_matches()
    {
        CheckpointedFlow known = Known(Start, counters: true);
        Save([known]);
        AssertUnusable(FlowCheckpoint.Load(FilePath, Here with { BootId = Guid.Empty }), "before the last boot", known);
        AssertUnusable(FlowCheckpoint.Load(FilePath, Here with { NetworkNamespace = 1 }), "another network namespace", known);
    }

    [Fact]
    public void A_missing_file_is_no_problem()
    {
        using CheckpointedFlows lookup = FlowCheckpoint.Load(FilePath, Here);
        Assert.Null(lookup.Problem);
        Assert.False(lookup.TryTake(Dumped(Known(Start, counters: true)), out _));
    }

    [Fact]
    public void A_truncated_or_changed_file_is_said_and_ignored_wherever_it_is_damaged()
    {
        CheckpointedFlow known = Known(Start, counters: true);
        Save([known, known with { Original = Tuple("2001:db8::1", "2001:db8::2", 3) }]);
        byte[] whole = File.ReadAllBytes(FilePath);
        for (int length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(FilePath, whole[..length]);
            AssertUnusable(FlowCheckpoint.Load(FilePath, Here), FilePath, known);
            byte[] changed = [.. whole];
            changed[length] ^= 0x10;
            File.WriteAllBytes(FilePath, changed);
            AssertUnusable(FlowCheckpoint.Load(FilePath, Here), FilePath, known);
        }
    }

    [Fact]
    public void A_foreign_file_or_a_directory_is_said_and_ignored()
    {
        CheckpointedFlow known = Known(Start, counters: true);
        File.WriteAllText(FilePath, new string('x', 1000));
        AssertUnusable(FlowCheckpoint.Load(FilePath, Here), "not a checkpoint", known);
        AssertUnusable(FlowCheckpoint.Load(_directory, Here), "cannot be read", known);
    }

    [Fact]
    public void A_checkpoint_that_fails_half_way_leaves_the_old_one()
    {
        CheckpointedFlow known = Known(Start, counters: true);
        Save([known]);
        Assert.Throws<InvalidOperationException>(() => FlowCheckpoint.Write(FilePath, Here, writer =>
        {
            writer.Add(known with { Id = new FlowId(9, 9) });
            throw new InvalidOperationException("the view went away");
        }));
        using CheckpointedFlows lookup = FlowCheckpoint.Load(FilePath, Here);
        Assert.True(lookup.TryTake(Dumped(known), out FlowId id));
        Assert.Equal(known.Id, id);
        Assert.Equal([FilePath], Directory.GetFiles(_directory));
    }

    [Fact]
    public void A_temporary_file_left_by_a_killed_writer_is_replaced_and_a_link_not_followed()
    {
        string precious = Path.Join(_directory, "precious");
        File.WriteAllText(precious, "precious");
        File.CreateSymbolicLink(FilePath + ".tmp", precious);
        Save([Known(Start, counters: true)]);
        Assert.Equal("precious", File.ReadAllText(precious));
        Assert.Equal(1, FlowCheckpoint.Load(FilePath, Here).Count);
    }

    [Fact]
    public void After_dispose_nothing_matches()
    {
        CheckpointedFlow known = Known(Start, counters: true);
        Save([known]);
        CheckpointedFlows lookup = FlowCheckpoint.Load(FilePath, Here);
        lookup.Dispose();
        Assert.False(lookup.TryTake(Dumped(known), out _));
        Assert.Equal(0, lookup.Count);
    }

    /// <summary>Without kernel times a successor with the same conntrack id may look like its predecessor.</summary>
    [Fact]
    public void An_id_is_given_once()
    {
        CheckpointedFlow known = Known(startTime: 0, counters: false),
            other = known with { Original = Tuple("192.0.2.1", "198.51.100.2", 40001), Id = new FlowId(1, 2) };
        Save([known, other]);
        using CheckpointedFlows lookup = FlowCheckpoint.Load(FilePath, Here);
        Assert.True(lookup.TryTake(Dumped(known), out _));
        Assert.False(lookup.TryTake(Dumped(known), out _));
        Assert.True(lookup.TryTake(Dumped(other), out FlowId id));
        Assert.Equal(other.Id, id);
    }

    private static void AssertUnusable(CheckpointedFlows lookup, string reason, in CheckpointedFlow flow)
    {
        Assert.Contains(reason, lookup.Problem, StringComparison.Ordinal);
        Assert.False(lookup.TryTake(Dumped(flow), out _));
    }

    private static CheckpointedFlow Known(long startTime, bool counters) => new()
    {
        Original = Tuple("192.0.2.1", "198.51.100.2", 40000),
        Id = new FlowId(0x1234, 77),
        StartTime = startTime,
        ConntrackId = 4711,
        HasCounters = counters,
        Packets = counters ? 10u : 0,
        Bytes = counters ? 1000u : 0,
    };

    /// <summary>The row a dump gives for it, nothing changed since.</summary>
    private static Flow Dumped(in CheckpointedFlow flow) => new()
    {
        Original = flow.Original,
        StartTime = flow.StartTime,
        Id = flow.ConntrackId,
        ReplyPackets = flow.Packets,
        ReplyBytes = flow.Bytes,
        Present = FlowFields.Original | FlowFields.Id | (flow.StartTime != 0 ? FlowFields.StartTime : FlowFields.None)
            | (flow.HasCounters ? FlowFields.Counters : FlowFields.None),
    };

    private static FlowTuple Tuple(string source, string destination, int sourcePort) => new()
    {
        Source = IpAddress.From(IPAddress.Parse(source)),
        Destination = IpAddress.From(IPAddress.Parse(destination)),
        SourcePort = (ushort)sourcePort,
        DestinationPort = 443,
        Protocol = IpProtocol.Tcp,
        Family = source.Contains(':', StringComparison.Ordinal) ? FlowFamily.IPv6 : FlowFamily.IPv4,
    };

    private static CheckpointedFlow RandomFlow(Random random, int index)
    {
        bool v6 = random.Next(2) == 0;
        bool counters = random.Next(2) == 0;
        return new CheckpointedFlow
        {
            Original = new FlowTuple
            {
                Source =
                    v6 ? new IpAddress((ulong)random.NextInt64(), (ulong)random.NextInt64()) : new IpAddress(0, (uint)random.NextInt64()),
                Destination = new IpAddress(v6 ? 1ul : 0, (uint)index), // makes every key another
                SourcePort = (ushort)random.Next(65536),
                DestinationPort = (ushort)random.Next(65536),
                Protocol = (IpProtocol)random.Next(256),
                Family = v6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
                Zone = (ushort)(random.Next(2) * random.Next(65535)),
            },
            Id = new FlowId((ulong)random.Next(3), (ulong)random.NextInt64()),
            StartTime = random.Next(2) * random.NextInt64(),
            ConntrackId = (uint)random.NextInt64(),
            HasCounters = counters,
            Packets = counters ? (ulong)random.NextInt64() : 0,
            Bytes = counters ? (ulong)random.NextInt64() : 0,
        };
    }

    private void Save(IEnumerable<CheckpointedFlow> flows) => FlowCheckpoint.Write(FilePath, Here, writer =>
    {
        foreach (CheckpointedFlow flow in flows)
            writer.Add(flow);
    });

    private bool Match(in CheckpointedFlow known, in Flow dumped)
    {
        Save([known]);
        using CheckpointedFlows lookup = FlowCheckpoint.Load(FilePath, Here);
        return lookup.TryTake(dumped, out _);
    }
}
