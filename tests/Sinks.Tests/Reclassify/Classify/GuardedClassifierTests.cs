using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Tests.Reclassify.Classify;

public sealed class GuardedClassifierTests
{
    [Fact]
    public async Task What_it_throws_is_no_opinion_and_told_once_a_minute()
    {
        FakeTimeProvider time = new();
        ScriptedWorld.LineLog log = new();
        Failing inner = new();
        await using GuardedClassifier guarded = new(inner, time, log);
        FlowQuestion question = new(new FlowTuple { Family = FlowFamily.IPv4 }, 0, null);
        for (int i = 0; i < 10; i++)
            Assert.Equal(Verdict.None, guarded.Classify(question));
        Assert.Equal(Verdict.None, guarded.Confirm(question));
        Assert.Single(log.Lines);
        Assert.Equal(new ClassifierStatus("failing", IsWorking: false, "System.InvalidOperationException: out of luck"), guarded.Status);

        time.Advance(TimeSpan.FromMinutes(1));
        guarded.Classify(question);
        Assert.Equal(2, log.Lines.Count);

        inner.IsHealthy = true;
        Assert.Equal("wan", guarded.Classify(question).Path);
        Assert.True(guarded.Status.IsWorking);
    }

    [Fact]
    public async Task What_it_cannot_say_of_itself_harms_nothing_and_shows()
    {
        ScriptedWorld.LineLog log = new();
        GuardedClassifier guarded = new(new Speechless(), new FakeTimeProvider(), log);
        Assert.Equal(QuestionFields.All, guarded.Fields);
        Assert.Equal(new ClassifierStatus("speechless", IsWorking: false, "System.InvalidOperationException: fields"), guarded.Status);
        await guarded.DisposeAsync();
        Assert.Single(log.Lines);
        GuardedClassifier fresh = new(new Speechless(), new FakeTimeProvider(), log);
        Assert.Equal(new ClassifierStatus("speechless", IsWorking: false, "System.InvalidOperationException: status"), fresh.Status);
    }

    private sealed class Speechless : IFlowClassifier
    {
        public string Name => "speechless";

        public ClassifierStatus Status => throw new InvalidOperationException("status");

        public QuestionFields Fields => throw new InvalidOperationException("fields");

        public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public Verdict Classify(in FlowQuestion question) => Verdict.None;

        public ValueTask DisposeAsync() => throw new InvalidOperationException("end");
    }

    private sealed class Failing : IFlowClassifier
    {
        internal bool IsHealthy { get; set; }

        public string Name => "failing";

        public ClassifierStatus Status => new(Name, IsWorking: true, "well");

        public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public Verdict Classify(in FlowQuestion question) =>
            IsHealthy ? Verdict.To("wan", "test") : throw new InvalidOperationException("out of luck");

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
