using System.Globalization;
using System.Net;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Our requests against the kernel's answers, and against what conntrack(8) writes and reads.</summary>
public sealed class ConntrackClientTests : IDisposable
{
    private readonly KernelNamespace _namespace;
    private readonly ConntrackClient _client;
    private readonly FlowBatchPool _pool = new();

    public ConntrackClientTests()
    {
        _namespace = new KernelNamespace(track: false);
        _client = _namespace.Run(() => new ConntrackClient());
    }

    /// <summary>conntrack -I's options, its protocol, and the two numbers of the original tuple's protocol part.</summary>
    public static TheoryData<string, byte, int, int> Protocols => new()
    {
        { "-p tcp -s 10.0.0.1 -d 10.0.0.2 --sport 1025 --dport 80 --state ESTABLISHED -u ASSURED,SEEN_REPLY", 6, 1025, 80 },
        { "-p udp -s 10.0.0.1 -d 10.0.0.2 --sport 1025 --dport 53", 17, 1025, 53 },
        { "-p udplite -s 10.0.0.1 -d 10.0.0.2 --sport 1025 --dport 53", 136, 1025, 53 },
        { "-p sctp -s 10.0.0.1 -d 10.0.0.2 --sport 1025 --dport 99 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2", 132, 1025, 99 },
        { "-p gre -s 10.0.0.1 -d 10.0.0.2 --srckey 0x11 --dstkey 0x22", 47, 0x11, 0x22 },
        { "-p icmp -s 10.0.0.1 -d 10.0.0.2 --icmp-type 8 --icmp-code 0 --icmp-id 77", 1, 77, 8 << 8 },
        { "-p 253 -s 10.0.0.1 -d 10.0.0.2", 253, 0, 0 },
        { "-p tcp -s fd00::1 -d fd00::2 --sport 1025 --dport 80 --state SYN_SENT", 6, 1025, 80 },
        { "-p udp -s fd00::1 -d fd00::2 --sport 1025 --dport 53", 17, 1025, 53 },
        { "-p icmpv6 -s fd00::1 -d fd00::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77", 58, 77, 128 << 8 },
    };

    [Theory]
    [MemberData(nameof(Protocols))]
    public void Reads_what_conntrack_made(string options, byte protocol, int first, int second)
    {
        Conntrack($"-I {options} -t 100 --mark 7");
        FlowEvent row = Assert.Single(Dump());
        Assert.Equal(FlowEventType.Row, row.Type);
        Assert.Equal(
            ((IpProtocol)protocol, first, second),
            (row.Flow.Original.Protocol, row.Flow.Original.SourcePort, row.Flow.Original.DestinationPort));
        string prefix = row.Flow.Original.IsIPv6 ? "fd00::" : "10.0.0.";
        Assert.Equal((prefix + "1", prefix + "2"), Addresses(row.Flow.Original));
        Assert.Equal((prefix + "2", prefix + "1"), Addresses(row.Flow.Reply));
        Assert.Equal(7u, row.Flow.Mark);
        Assert.InRange(row.Flow.Timeout, 90u, 100u);
        Assert.Contains(
            $"id={row.Flow.Id}", Conntrack($"-L -o id -f {(row.Flow.Original.IsIPv6 ? "ipv6" : "ipv4")}"), StringComparison.Ordinal);

        FlowBatch found = new();
        Assert.True(_client.TryGet(row.Flow.Original, found));
        Assert.True(_client.TryGet(row.Flow.Reply, found));
        Assert.Equal([row.Flow.Id, row.Flow.Id], found.Span.ToArray().Select(e => e.Flow.Id));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public void What_it_makes_is_what_conntrack_made(string options, byte protocol, int first, int second)
    {
        Conntrack($"-I {options} -t 100 --mark 7");
        Flow theirs = Assert.Single(Dump()).Flow;
        string list = List(theirs);
        _client.Flush();
        Assert.Empty(Dump());

        _client.Create(theirs);
        Flow ours = Assert.Single(Dump()).Flow;
        Assert.Equal(
            (theirs.Original, theirs.Reply, theirs.Mark, theirs.Status, theirs.ProtocolState),
            (ours.Original, ours.Reply, ours.Mark, ours.Status, ours.ProtocolState));
        Assert.Equal((protocol, first, second), ((byte)ours.Original.Protocol, ours.Original.SourcePort, ours.Original.DestinationPort));
        Assert.Equal(list, List(ours));
    }

    [Fact]
    public void Deletes_only_with_the_right_id()
    {
        _client.Create(Udp(1));
        Flow flow = Assert.Single(Dump()).Flow;
        Flow wrong = flow;
        wrong.Id ^= 1;
        Assert.False(_client.Delete(wrong));
        Assert.Single(Dump());
        Assert.True(_client.Delete(flow));
        Assert.Empty(Dump());
        Assert.False(_client.Delete(flow));
        Assert.Throws<ArgumentException>(() => _client.Delete(Udp(1)));
    }

    [Fact]
    public void Marks_the_bits_of_the_mask()
    {
        Flow flow = Udp(1);
        (flow.Mark, flow.Present) = (0xff00ff00, flow.Present | FlowFields.Mark);
        _client.Create(flow);
        uint id = Get(flow.Original).Id;
        Assert.True(_client.UpdateMark(flow.Original, mark: 0xffff_1234, mask: 0x0000_ffff)); // bits beyond the mask must not leak
        Assert.Equal((0xff001234u, id), (Get(flow.Original).Mark, Get(flow.Original).Id));
        Assert.True(_client.UpdateMark(flow.Reply, 5));
        Assert.Contains("mark=5 ", Conntrack("-L"), StringComparison.Ordinal);
        Assert.False(_client.UpdateMark(Udp(2).Original, 5));
    }

    [Fact]
    public void A_zone_is_part_of_the_key()
    {
        Flow flow = InZones(5, 5);
        _client.Create(flow);
        Assert.Contains(" zone=5 ", Conntrack("-L"), StringComparison.Ordinal);
        Flow row = Get(flow.Original);
        Assert.Equal((5, 5), (row.Original.Zone, row.Reply.Zone));
        foreach (ushort other in (ushort[])[0, 4, 6])
            Assert.False(_client.TryGet(InZones(other, other).Original, new FlowBatch())); // ENOENT: no wildcard
        _client.Create(InZones(0, 0));
        _client.Create(InZones(6, 6));
        Assert.Equal(3, Dump().Count);
        Assert.True(_client.Delete(row));
        Assert.Equal(2, Dump().Count);
        Assert.False(_client.TryGet(flow.Original, new FlowBatch()));
    }

    [Theory]
    [InlineData(5, 0, "zone-orig=5")]
    [InlineData(0, 5, "zone-reply=5")]
    public void A_zone_may_be_of_one_direction(ushort original, ushort reply, string shown)
    {
        Flow flow = InZones(original, reply);
        _client.Create(flow);
        Assert.Contains(shown, Conntrack("-L"), StringComparison.Ordinal);
        Flow row = Assert.Single(Dump()).Flow;
        Assert.Equal((flow.Original, flow.Reply), (row.Original, row.Reply));
        Assert.Equal(row.Id, Get(row.Original).Id);
        Assert.Equal(row.Id, Get(row.Reply).Id);
        FlowTuple swapped = row.Original;
        swapped.Zone = row.Reply.Zone;
        Assert.False(_client.TryGet(swapped, new FlowBatch()));
        Assert.True(_client.UpdateMark(row.Original, 3));
        Assert.Equal(3u, Get(row.Reply).Mark);
        Assert.True(_client.Delete(row));
        Assert.Empty(Dump());
    }

    [Fact]
    public void Two_different_zones_are_refused() => Assert.Throws<ArgumentException>(() => _client.Create(InZones(5, 6)));

    [Fact]
    public void Tcp_state_and_window_are_kept()
    {
        Flow flow = Tcp(1);
        flow.Present |= FlowFields.TcpWindow;
        (flow.OriginalWindowScale, flow.ReplyWindowScale) = (7, 9);
        // IP_CT_TCP_FLAG_WINDOW_SCALE 1, SACK_PERM 2, BE_LIBERAL 8, MAXACK_SET 20
        (flow.OriginalTcpFlags, flow.ReplyTcpFlags) = (0x23, 0x2b);
        _client.Create(flow);
        Flow row = Get(flow.Original);
        Assert.Equal(TcpState.Established, row.TcpState);
        Assert.Equal((7, 9, 0x23, 0x2b), (row.OriginalWindowScale, row.ReplyWindowScale, row.OriginalTcpFlags, row.ReplyTcpFlags));
        Assert.Contains("ESTABLISHED", Conntrack("-L"), StringComparison.Ordinal);
    }

    [Fact]
    public void Nat_is_made_by_the_kernel_so_that_its_flags_are_set()
    {
        Flow flow = Tcp(1);
        flow.Reply.Source = IpAddress.From(IPAddress.Parse("192.168.9.9"));
        flow.Reply.SourcePort = 8080;
        flow.Reply.Destination = IpAddress.From(IPAddress.Parse("203.0.113.5"));
        flow.Reply.DestinationPort = 40000;
        flow.Status |= FlowStatus.SourceNat | FlowStatus.DestinationNat;
        _client.Create(flow);
        Flow row = Get(flow.Reply);
        Assert.Equal((flow.Original, flow.Reply), (row.Original, row.Reply));
        Assert.True(row.Status.HasFlag(FlowStatus.SourceNat | FlowStatus.DestinationNat));
        Assert.Contains("dport=40000", Conntrack("-L -n"), StringComparison.Ordinal); // -n: source-NATed ones
    }

    [Fact]
    public void Labels_helper_and_master_are_kept()
    {
        _namespace.Exec(
            "nft", "add table inet t; add chain inet t c { type filter hook output priority 0; }; add rule inet t c ct label set 1");
        Flow master = Tcp(1);
        master.Original.DestinationPort = master.Reply.SourcePort = 21;
        master.Extras = new FlowExtras { Helper = "ftp", HasLabels = true, Labels = (UInt128.One << 127) | 2 };
        _client.Create(master);
        Flow data = Tcp(2);
        data.Extras = new FlowExtras { HasMaster = true, Master = master.Original };
        _client.Create(data);

        Flow row = Get(master.Original);
        Assert.Equal(("ftp", master.Extras.Labels), (row.Extras!.Helper, row.Extras.Labels));
        row = Get(data.Original);
        Assert.Equal(master.Original, row.Extras!.Master);
        Assert.True(row.Status.HasFlag(FlowStatus.Expected));
        Assert.Contains("helper=ftp", Conntrack("-L"), StringComparison.Ordinal);
    }

    [Fact]
    public void Failures_name_the_tuple_and_the_errno()
    {
        _client.Create(Udp(1));
        NetlinkException e = Assert.Throws<NetlinkException>(() => _client.Create(Udp(1)));
        Assert.Equal(Errno.EEXIST, e.Errno);
        Assert.Contains("creating conntrack entry udp src=10.0.0.1 dst=10.0.0.2 sport=1 dport=53", e.Message, StringComparison.Ordinal);
        Flow odd = Udp(2);
        odd.Extras = new FlowExtras { Helper = "no-such-helper" };
        e = Assert.Throws<NetlinkException>(() => _client.Create(odd));
        Assert.Equal(Errno.EOPNOTSUPP, e.Errno);
        Assert.Single(Dump());
    }

    [Fact]
    public void The_kernel_explains_what_it_does_not_like()
    {
        using NetlinkSocket socket = _namespace.Run(() => new NetlinkSocket(NetlinkSocket.NETLINK_NETFILTER));
        socket.SetOption(NetlinkOption.NETLINK_EXT_ACK, 1);
        RequestWriter request = new(new byte[128]);
        request.BeginNetfilter(0x0102, Nlmsg.NLM_F_ACK, sequence: 1, (byte)FlowFamily.IPv4);
        request.PutU16(Ctnetlink.CTA_ID, 1); // two bytes too few
        request.EndMessage();
        Assert.Equal(Errno.None, socket.Send(request.Written));
        byte[] answer = new byte[1024];
        int length = socket.Receive(answer, out uint sender);
        Assert.Equal(0u, sender);
        MessageReader messages = new(answer.AsSpan(0, length));
        Assert.True(messages.Next());
        Assert.True(ErrorMessage.TryRead(messages.Header, messages.Payload, out ErrorMessage error));
        Assert.NotEqual(Errno.None, error.Errno);
        Assert.False(string.IsNullOrWhiteSpace(error.Text));
    }

    [Fact]
    public void Gets_many_with_one_send_after_another()
    {
        FlowTuple[] tuples = new FlowTuple[300];
        for (ushort i = 0; i < tuples.Length; i++)
        {
            Flow flow = Udp((ushort)(i + 1));
            tuples[i] = i % 2 == 0 ? flow.Original : flow.Reply;
            if (i % 3 != 0)
                _client.Create(flow);
        }

        bool[] found = new bool[tuples.Length];
        List<(int, ushort)> rows = [];
        _client.GetMany(tuples, found, (int index, in FlowEvent row) => rows.Add((index, row.Flow.Original.SourcePort)));
        Assert.Equal(Enumerable.Range(0, tuples.Length).Select(i => i % 3 != 0), found);
        Assert.Equal(Enumerable.Range(0, tuples.Length).Where(i => i % 3 != 0).Select(i => (i, (ushort)(i + 1))), rows.Order());
    }

    [Fact]
    public void Dumps_many_entries_of_one_family_or_both_and_reuses_batches()
    {
        for (ushort i = 1; i <= 1000; i++)
            _client.Create(Udp(i));
        Conntrack("-I -p udp -s fd00::1 -d fd00::2 --sport 1025 --dport 53 -t 100");
        Assert.Equal(1001, Dump().Count);
        Assert.Equal(1000, Dump(FlowFamily.IPv4).Select(e => e.Flow.Original.SourcePort).Distinct().Count());
        Assert.True(Assert.Single(Dump(FlowFamily.IPv6)).Flow.Original.IsIPv6);

        HashSet<FlowBatch> batches = [];
        DumpResult result = _client.Dump(FlowFamily.IPv4, _pool, batch =>
        {
            batches.Add(batch);
            batch.Release();
        }, TestContext.Current.CancellationToken);
        Assert.Equal(new DumpResult(1000, 0, Interrupted: false), result);
        Assert.Single(batches); // each was back in the pool before the next was rented
    }

    [Fact]
    public void A_dump_given_up_disposes_the_client()
    {
        for (ushort i = 1; i <= 600; i++)
            _client.Create(Udp(i));
        using CancellationTokenSource stop = new();
        int batches = 0;
        Assert.Throws<OperationCanceledException>(() => _client.Dump(FlowFamily.Unspecified, _pool, batch =>
        {
            batches++;
            batch.Release();
            stop.Cancel();
        }, stop.Token));
        Assert.Equal(1, batches);
        Assert.Throws<ObjectDisposedException>(() => _client.Count());
    }

    [Fact]
    public void Counts_as_conntrack_does()
    {
        Assert.Equal(0, _client.Count());
        for (ushort i = 1; i <= 3; i++)
            _client.Create(Udp(i));
        Assert.Equal(long.Parse(Conntrack("-C"), CultureInfo.InvariantCulture), _client.Count());
        Assert.Equal(3, _client.Count());
        using TableSize held = TableSize.AtLeast(0); // it is the machine's: no other test raises it meanwhile
        string max = _namespace.Run(() => File.ReadAllText("/proc/sys/net/netfilter/nf_conntrack_max"));
        Assert.Equal(long.Parse(max, CultureInfo.InvariantCulture), _client.Max());
        _client.Flush();
        Assert.Empty(Dump());
    }

    [Fact]
    public void Statistics_are_those_conntrack_prints()
    {
        _client.Create(Udp(1));
        _client.TryGet(Udp(1).Original, new FlowBatch());
        string[] lines = Conntrack("-S").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] ours = [.. _client.Stats().Select(s => Words(
            $"cpu={s.Cpu} found={s.Found} invalid={s.Invalid} insert={s.Insert} insert_failed={s.InsertFailed} drop={s.Drop} "
            + $"early_drop={s.EarlyDrop} "
            + $"error={s.Error} search_restart={s.SearchRestart} clash_resolve={s.ClashResolve} chaintoolong={s.ChainTooLong}"))];
        string[] theirs = [.. lines.Select(Words)];
        Assert.Equal(theirs, ours);

        static string Words(string line) => string.Join(' ', line.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries));
    }

    public void Dispose()
    {
        _client?.Dispose();
        _namespace?.Dispose();
    }

    private static Flow Udp(ushort sourcePort) => NewFlow(IpProtocol.Udp, sourcePort, 53);

    private static Flow Tcp(ushort sourcePort)
    {
        Flow flow = NewFlow(IpProtocol.Tcp, sourcePort, 80);
        flow.ProtocolState = (byte)TcpState.Established;
        flow.Status = FlowStatus.SeenReply | FlowStatus.Assured;
        flow.Present |= FlowFields.ProtocolState | FlowFields.Status;
        return flow;
    }

    private static Flow InZones(ushort original, ushort reply)
    {
        Flow flow = Udp(1);
        (flow.Original.Zone, flow.Reply.Zone) = (original, reply);
        return flow;
    }

    private static Flow NewFlow(IpProtocol protocol, ushort sourcePort, ushort destinationPort)
    {
        FlowTuple original = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = protocol,
            Source = IpAddress.From(IPAddress.Parse("10.0.0.1")),
            Destination = IpAddress.From(IPAddress.Parse("10.0.0.2")),
            SourcePort = sourcePort,
            DestinationPort = destinationPort,
        };
        FlowTuple reply = original;
        (reply.Source, reply.Destination) = (original.Destination, original.Source);
        (reply.SourcePort, reply.DestinationPort) = (destinationPort, sourcePort);
        return new Flow { Original = original, Reply = reply, Timeout = 600, Present = FlowFields.BothTuples | FlowFields.Timeout };
    }

    private static (string, string) Addresses(in FlowTuple tuple) =>
        (tuple.Source.ToIPAddress(tuple.Family).ToString(), tuple.Destination.ToIPAddress(tuple.Family).ToString());

    private Flow Get(in FlowTuple tuple)
    {
        FlowBatch batch = new();
        Assert.True(_client.TryGet(tuple, batch));
        return batch.Span[0].Flow;
    }

    /// <summary>Extras are taken along: the batches are not returned to the pool.</summary>
    private List<FlowEvent> Dump(FlowFamily family = FlowFamily.Unspecified)
    {
        List<FlowEvent> rows = [];
        DumpResult result =
            _client.Dump(family, new FlowBatchPool(kept: 0), batch => rows.AddRange(batch.Span), TestContext.Current.CancellationToken);
        Assert.Equal(new DumpResult(rows.Count, 0, Interrupted: false), result);
        return rows;
    }

    private string Conntrack(string arguments) => _namespace.Exec("conntrack", [.. arguments.Split(' ')]);

    /// <summary>What conntrack lists, without the timeout, which runs.</summary>
    private string List(in Flow flow)
    {
        string[] words = Conntrack($"-L -f {(flow.Original.IsIPv6 ? "ipv6" : "ipv4")}").Split(' ', StringSplitOptions.RemoveEmptyEntries);
        words[2] = "";
        return string.Join(' ', words);
    }
}
