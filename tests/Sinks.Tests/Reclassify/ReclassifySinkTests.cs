using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Tests.FlowLog;
using ConntrackStream.Sinks.Tests.Reclassify.External;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>The sink's own tasks, of which nobody else would hear if they ended.</summary>
public sealed class ReclassifySinkTests
{
    [Fact]
    public async Task A_look_that_fails_is_told_and_later_ones_come_all_the_same()
    {
        VirtualTime time = new();
        ScriptedWorld.LineLog log = new();
        FailingOnce classifier = new();
        Assert.True(
            PathTable.TryCreate([new UplinkPath { Name = "wan1", Mark = new(0x100, 0x3f00) }], out PathTable? paths, out string? problem),
            problem);
        ReclassifyParts parts = new(
            paths, new ClassifierChain([classifier]), new KernelCalls(NetworkNamespace.Current), new RouteQuestions());
        await using ReclassifySink sink = new(
            new ReclassifyOptions(),
            parts,
            static (_, _, _) => throw new InvalidOperationException("no view"),
            new CausedEnds(time),
            time,
            log);
        await sink.StartAsync(TestContext.Current.CancellationToken);

        await sink.WriteAsync(Started(1), TestContext.Current.CancellationToken);
        Assert.Equal(1, classifier.Looks);
        await Eventually.TrueAsync(
            () => Pass(time) && log.Lines.Any(static line => line.Contains("since a look failed", StringComparison.Ordinal)),
            ClassifierRig.Patience,
            State);
        await sink.WriteAsync(Started(2), TestContext.Current.CancellationToken);
        int before = classifier.Looks;
        await Eventually.TrueAsync(() => Pass(time) && classifier.Looks > before, ClassifierRig.Patience, State);

        sink.Reconsider(AddressRange.All(FlowFamily.IPv4));
        // tried again
        await Eventually.TrueAsync(
            () => Pass(time) && log.Lines.Count(static line => line.Contains("no view", StringComparison.Ordinal)) > 1,
            ClassifierRig.Patience,
            State);

        string State() => string.Join('\n', log.Lines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task After_the_halt_what_the_queue_still_brings_is_not_acted_on(bool isHalted)
    {
        VirtualTime time = new();
        Answering classifier = new(Verdict.Keep("test"));
        Assert.True(
            PathTable.TryCreate([new UplinkPath { Name = "wan1", Mark = new(0x100, 0x3f00) }], out PathTable? paths, out string? problem),
            problem);
        ReclassifyParts parts = new(
            paths, new ClassifierChain([classifier]), new KernelCalls(NetworkNamespace.Current), new RouteQuestions());
        await using ReclassifySink sink = new(
            new ReclassifyOptions(),
            parts,
            static (_, _, _) => throw new InvalidOperationException("no view"),
            new CausedEnds(time),
            time,
            new ScriptedWorld.LineLog());
        await sink.StartAsync(TestContext.Current.CancellationToken);
        if (isHalted)
            await sink.HaltAsync();
        await sink.WriteAsync(Started(1), TestContext.Current.CancellationToken);
        Assert.Equal(isHalted ? 0 : 1, classifier.Asked);
        Assert.Equal(isHalted ? 0 : 1, sink.Status.Counters.Looks);
    }

    [Fact]
    public async Task A_later_answer_without_an_opinion_has_the_next_classifier_asked()
    {
        VirtualTime time = new();
        Answering first = new(new Verdict(VerdictKind.Pending)), second = new(Verdict.Keep("test"));
        Assert.True(
            PathTable.TryCreate([new UplinkPath { Name = "wan1", Mark = new(0x100, 0x3f00) }], out PathTable? paths, out string? problem),
            problem);
        ReclassifyParts parts = new(
            paths, new ClassifierChain([first, second]), new KernelCalls(NetworkNamespace.Current), new RouteQuestions());
        await using ReclassifySink sink = new(
            new ReclassifyOptions(),
            parts,
            static (_, _, _) => throw new InvalidOperationException("no view"),
            new CausedEnds(time),
            time,
            new ScriptedWorld.LineLog());
        await sink.StartAsync(TestContext.Current.CancellationToken);
        await sink.WriteAsync(Started(1), TestContext.Current.CancellationToken);
        Assert.Equal(0, second.Asked);
        first.Host!.Answer(first.Question, Verdict.None);
        await Eventually.TrueAsync(() => second.Asked > 0, ClassifierRig.Patience, static () => "the second was not asked");
        Assert.Equal(first.Question, second.Question);
    }

    /// <summary>
    /// The pipeline holds changes back for 50 ms, and what they show of translation decides how the sweep's flows are moved.
    /// </summary>
    [Fact]
    public async Task A_sweep_waits_until_the_queue_has_told_what_the_view_knows()
    {
        VirtualTime time = new();
        Assert.True(
            PathTable.TryCreate([new UplinkPath { Name = "wan1", Mark = new(0x100, 0x3f00) }], out PathTable? paths, out string? problem),
            problem);
        ReclassifyParts parts = new(paths, new ClassifierChain([]), new KernelCalls(NetworkNamespace.Current), new RouteQuestions());
        int sweeps = 0;
        await using ReclassifySink sink = new(
            new ReclassifyOptions(), parts, Query, new CausedEnds(time), time, new ScriptedWorld.LineLog());
        await sink.StartAsync(TestContext.Current.CancellationToken);
        sink.Reconsider(AddressRange.All(FlowFamily.IPv4));
        await time.WaitForTimersAsync(1);
        time.Advance(TimeSpan.FromMilliseconds(50));
        Assert.Equal(0, Volatile.Read(ref sweeps));
        time.Advance(TimeSpan.FromMilliseconds(50));
        await Eventually.TrueAsync(() => Volatile.Read(ref sweeps) == 1, ClassifierRig.Patience, static () => "no sweep");

        Task Query(FlowPredicate isWanted, Func<FlowChangeBatch, ValueTask> onRows, CancellationToken token)
        {
            Interlocked.Increment(ref sweeps);
            return Task.CompletedTask;
        }
    }

    private static FlowChangeBatch Started(int port)
    {
        Flow flow = FlowLogTestData.Flow(FlowLogTestData.Tuple(IpProtocol.Tcp, "10.0.0.2", port, "198.51.100.1", 443));
        flow.Mark = 0x100;
        return FlowLogTestData.Batch(new FlowChange { Kind = FlowChangeKind.Started, Flow = flow });
    }

    private static bool Pass(VirtualTime time)
    {
        time.Advance(TimeSpan.FromMilliseconds(100));
        return true;
    }

    /// <summary>Fails at its second look.</summary>
    private sealed class FailingOnce : IFlowClassifier
    {
        internal int Looks { get; private set; }

        public string Name => "failing once";

        public ClassifierStatus Status => new(Name, IsWorking: true, "");

        public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public Verdict Classify(in FlowQuestion question) =>
            ++Looks == 2 ? throw new InvalidOperationException("out of luck") : Verdict.None;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class Answering(Verdict verdict) : IFlowClassifier
    {
        private volatile int _asked;

        internal int Asked => _asked;

        internal FlowQuestion Question { get; private set; }

        internal IClassifierHost? Host { get; private set; }

        public string Name => "answering";

        public ClassifierStatus Status => new(Name, IsWorking: true, "");

        public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken)
        {
            Host = host;
            return ValueTask.CompletedTask;
        }

        public Verdict Classify(in FlowQuestion question)
        {
            Question = question;
            _asked++;
            return verdict;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
