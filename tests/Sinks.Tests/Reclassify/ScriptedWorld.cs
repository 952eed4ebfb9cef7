using System.Collections.Concurrent;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Reset;
using ConntrackStream.Sinks.Tests.FlowLog;
using Microsoft.Extensions.Logging;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>
/// A kernel and a set of two paths by script, around a real <see cref="Reclassifier"/> in virtual time. mwan3's marks:
/// wan1 0x100, wan2 0x200 under 0x3f00.
/// </summary>
internal sealed class ScriptedWorld : IResetCalls
{
    internal const uint Wan1 = 0x100, Wan2 = 0x200;

    private const int CloseTime = 10; // nf_conntrack_tcp_timeout_close, s

    private readonly Dictionary<FlowTuple, long> _lastPackets = [];
    private uint _lastId;

    /// <param name="wan2">In place of the path told by its mark.</param>
    /// <param name="isSourceUsed">Untranslated flows of the clients' networks are answered on wan2, as a dump has told.</param>
    /// <param name="isGuarded">False takes the guards away.</param>
    internal ScriptedWorld(
        Action<ReclassifyOptions>? configure = null, UplinkPath? wan2 = null, bool isSourceUsed = true, bool isGuarded = true)
    {
        ReclassifyOptions options = new() { Enabled = true, Mode = ReclassifyMode.Act };
        configure?.Invoke(options);
        Ends = new CausedEnds(Time);
        UplinkPath[] uplinks =
        [
            new UplinkPath { Name = "wan1", Mark = new MarkMatch(Wan1, 0x3f00) },
            wan2 ?? new UplinkPath { Name = "wan2", Mark = new MarkMatch(Wan2, 0x3f00) },
        ];
        Assert.True(PathTable.TryCreate(uplinks, out PathTable? paths, out string? problem), problem);
        Reclassifier = new Reclassifier(
            options,
            paths,
            new ClassifierChain([Set]),
            new ReclassifyKernel
            {
                Read = Read,
                Delete = Delete,
                Remark = Remark,
                Prove = Prove,
                IsTcpLoose = () => IsTcpLoose,
                WhyNoReset = () => WhyNoReset,
            },
            Ends,
            Time,
            Log,
            new ReclassifyLevers { Guards = isGuarded });
        foreach (string client in isSourceUsed ? ["10.0.0.9", "10.0.1.9", "10.0.2.9"] : Array.Empty<string>())
            paths.Of(
                FlowLogTestData.Flow(FlowLogTestData.Tuple(IpProtocol.Udp, client, 1, "198.51.100.9", 1)) with
                {
                    Mark = Wan2,
                    Status = FlowStatus.SeenReply,
                });
        Time.Advance(TimeSpan.FromSeconds(1)); // its start, when much is still unknown, is over
    }

    internal FakeTimeProvider Time { get; } = new();

    internal Reclassifier Reclassifier { get; }

    internal ScriptedSet Set { get; } = new();

    internal CausedEnds Ends { get; }

    internal LineLog Log { get; } = new();

    internal Dictionary<FlowTuple, Flow> Table { get; } = [];

    internal List<Flow> DeletedFlows { get; } = [];

    internal List<(FlowTuple Flow, uint Mark, uint Mask)> Remarked { get; } = [];

    internal bool IsTcpLoose { get; set; } = true;

    internal string? WhyNoReset { get; set; }

    /// <summary>The kernel's set: connections whose client's next packet is answered with a reset.</summary>
    internal Dictionary<FlowTuple, uint> Armed { get; } = [];

    /// <summary>Of clients that were reset, in this order.</summary>
    internal List<Flow> ResetFlows { get; } = [];

    /// <summary>Transactions on the set.</summary>
    internal int Transactions { get; private set; }

    /// <summary>Looks at entries whose client was to be reset.</summary>
    internal int ResetLooks { get; private set; }

    /// <summary>The events of what a reset does to an entry are lost.</summary>
    internal bool IsMute { get; set; }

    internal Refusal Proof { get; set; }

    /// <summary>What begins on wan2 has an answer at once.</summary>
    internal bool IsAnswered { get; set; } = true;

    /// <summary>Each look at an entry finds another packet of each end.</summary>
    internal bool IsBusy { get; set; }

    /// <summary>An entry ends as it is marked, and another of the same tuple takes its place, the mark with it.</summary>
    internal bool IsReplacedAsMarked { get; set; }

    /// <summary>All connections are the gateway's own.</summary>
    internal bool IsOwn { get; set; }

    /// <summary>Thrown by the next reading.</summary>
    internal NetlinkException? Failure { get; set; }

    /// <summary>Called once when members are in the set, and the reclassifier does not know it yet.</summary>
    internal Action? BeforeAcknowledgement { get; set; }

    /// <summary>Thrown by the next change of the set.</summary>
    internal NetlinkException? ChangeFailure { get; set; }

    internal ReclassifyCounters Counters => Reclassifier.Counters;

    /// <summary>
    /// A TCP flow to 198.51.100.DESTINATION:443 in the kernel, masqueraded unless it is routed. It is connecting: nothing has come back.
    /// </summary>
    internal Flow Flow(
        int destination = 1, uint mark = Wan1, bool isRouted = false, int port = 40000, IpProtocol protocol = IpProtocol.Tcp,
        string client = "10.0.0.2", TcpState state = TcpState.SynSent)
    {
        FlowTuple original = FlowLogTestData.Tuple(protocol, client, port, $"198.51.100.{destination}", 443);
        Flow flow = FlowLogTestData.Flow(original);
        if (!isRouted)
            flow.Reply.Destination = FlowLogTestData.Tuple(protocol, "192.0.2.1", 1, "192.0.2.1", 1).Source;
        flow.Id = ++_lastId;
        flow.Mark = mark;
        flow.ProtocolState = protocol == IpProtocol.Tcp ? (byte)state : (byte)0;
        flow.StartTime = Time.UnixNanoseconds();
        flow.OriginalPackets = 10;
        if (mark == Wan2 && IsAnswered)
            flow.Status |= FlowStatus.SeenReply;
        flow.Present |= FlowFields.Id | FlowFields.Mark | FlowFields.StartTime | FlowFields.Counters | FlowFields.ProtocolState;
        Table[flow.Original] = flow;
        return flow;
    }

    internal void Start(in Flow flow, FlowOrigin origin = FlowOrigin.Event)
    {
        Tell(FlowChangeKind.Started, flow, origin);
        Work();
    }

    internal void End(in Flow flow)
    {
        Table.Remove(flow.Original);
        Tell(FlowChangeKind.Ended, flow);
    }

    internal void Gap(FlowGapReason reason = FlowGapReason.Overrun) => Reclassifier.OnChanges(FlowLogTestData.Batch(
        new FlowChange { Kind = FlowChangeKind.Gap, Gap = new FlowGap(reason, 0, 0, Lost: null, Recovered: null) }));

    /// <summary>Lets time pass, step by step as the service's timer does.</summary>
    internal void Pass(double seconds)
    {
        for (int left = (int)(seconds * 1000); left > 0; left -= 25)
        {
            Time.Advance(TimeSpan.FromMilliseconds(25));
            Reclassifier.Advance();
            Work();
        }
    }

    /// <summary>A packet of the client, or several. If it is to be reset, the entry is closed by it.</summary>
    internal void Send(in Flow flow, ulong packets = 1)
    {
        Flow now = Table[flow.Original];
        _lastPackets[flow.Original] = Time.GetTimestamp();
        now.OriginalPackets += packets;
        bool isReset = now.TcpState != TcpState.Close && Armed.TryGetValue(flow.Original, out uint id) && id == now.Id;
        if (isReset)
            now.ProtocolState = (byte)TcpState.Close;
        Table[flow.Original] = now;
        if (!isReset)
            return;
        ResetFlows.Add(now);
        if (!IsMute)
            Tell(FlowChangeKind.Updated, now);
    }

    /// <summary>A packet of the server.</summary>
    internal void Reply(in Flow flow)
    {
        Flow now = Table[flow.Original];
        now.ReplyPackets++;
        now.Status |= FlowStatus.SeenReply;
        Table[flow.Original] = now;
    }

    /// <summary>Does what the reclassifier asks of the kernel's set, as its sink does.</summary>
    internal void Work()
    {
        while (Reclassifier.TakeResets() is { } work)
        {
            work.Run(this, TimeSpan.FromMinutes(1));
            Reclassifier.OnResets(work);
        }
    }

    void IResetCalls.Change(IReadOnlyList<PendingReset> add, IReadOnlyList<PendingReset> remove, TimeSpan timeout)
    {
        Transactions++;
        if (ChangeFailure is { } failure)
        {
            ChangeFailure = null;
            throw failure;
        }

        foreach (PendingReset reset in remove)
        {
            if (Armed.TryGetValue(reset.Flow.Original, out uint id) && id == reset.Flow.Id)
                Armed.Remove(reset.Flow.Original);
        }

        foreach (PendingReset reset in add)
            Armed[reset.Flow.Original] = reset.Flow.Id;
        Action? before = BeforeAcknowledgement;
        BeforeAcknowledgement = null;
        before?.Invoke();
    }

    void IResetCalls.Look(IReadOnlyList<PendingReset> resets)
    {
        ResetLooks += resets.Count;
        foreach (PendingReset reset in resets)
        {
            reset.Seen = Table.TryGetValue(reset.Flow.Original, out Flow now) ? ResetSight.Of(reset.Flow, now) : ResetState.Gone;
            reset.Timeout = _lastPackets.TryGetValue(reset.Flow.Original, out long last)
                ? (uint)Math.Max(0, CloseTime - Time.GetElapsedTime(last).TotalSeconds)
                : 0;
        }
    }

    void IDisposable.Dispose()
    {
    }

    internal void Tell(FlowChangeKind kind, in Flow flow, FlowOrigin origin = FlowOrigin.Event) =>
        Reclassifier.OnChanges(FlowLogTestData.Batch(new FlowChange { Kind = kind, Flow = flow, Start = flow.StartTime, Origin = origin }));

    private bool Read(in FlowTuple tuple, ref Flow flow)
    {
        if (Failure is { } failure)
        {
            Failure = null;
            throw failure;
        }

        if (!Table.TryGetValue(tuple, out flow))
            return false;
        if (IsBusy)
        {
            flow.OriginalPackets++;
            flow.ReplyPackets++;
            Table[tuple] = flow;
        }

        return true;
    }

    private bool Delete(in Flow flow)
    {
        if (!Table.TryGetValue(flow.Original, out Flow there) || there.Id != flow.Id)
            return false;
        Table.Remove(flow.Original);
        DeletedFlows.Add(flow);
        Tell(FlowChangeKind.Ended, flow); // the event is quicker than the acknowledgement
        return true;
    }

    private bool Remark(in FlowTuple original, uint mark, uint mask)
    {
        if (!Table.TryGetValue(original, out Flow there))
            return false;
        there.Mark = (there.Mark & ~mask) | (mark & mask);
        if (IsReplacedAsMarked)
            there.Id = ++_lastId;
        Table[original] = there;
        Remarked.Add((original, mark, mask));
        return true;
    }

    private Refusal Prove(in Flow flow, UplinkPath wanted, out bool isOwn, out string? detail)
    {
        (isOwn, detail) = (IsOwn, null);
        return Proof;
    }

    /// <summary>A classifier by destination.</summary>
    internal sealed class ScriptedSet : IFlowClassifier
    {
        internal Dictionary<IpAddress, Verdict> Members { get; } = [];

        internal int Asked { get; private set; }

        internal int Confirmed { get; private set; }

        /// <summary>The answer at the source, where it differs.</summary>
        internal Verdict? Source { get; set; }

        public string Name => "set";

        public QuestionFields Fields { get; set; } = QuestionFields.Mark;

        public ClassifierStatus Status => new(Name, IsWorking: true, "");

        internal void Add(int destination, string path = "wan2", TimeSpan? validFor = null, string name = "set app_1") =>
            Members[Address(destination)] = Verdict.To(path, name, validFor) with { Origin = name };

        internal static IpAddress Address(int destination) =>
            FlowLogTestData.Tuple(IpProtocol.Tcp, $"198.51.100.{destination}", 1, "198.51.100.1", 1).Source;

        public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public Verdict Classify(in FlowQuestion question)
        {
            Asked++;
            return Members.GetValueOrDefault(question.Original.Destination);
        }

        public Verdict Confirm(in FlowQuestion question)
        {
            Confirmed++;
            return Source ?? Members.GetValueOrDefault(question.Original.Destination);
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    /// <summary>Keeps what was logged.</summary>
    internal sealed class LineLog : ILogger
    {
        internal ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Enqueue(formatter(state, exception));
    }
}
