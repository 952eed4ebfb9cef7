using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Reclassify.Classify;

public sealed class ClassifierChainTests : IChainHost
{
    private static readonly Verdict Pending = new(VerdictKind.Pending), Lte = Verdict.To("lte", "test");

    private readonly FlowQuestion _question = new(FlowLogTestData.Tuple(IpProtocol.Tcp, "10.0.0.2", 1, "198.51.100.1", 443), 0, "wan");
    private readonly Told _first = new(), _second = new();
    private readonly List<string> _heard = [];

    [Fact]
    public async Task The_first_opinion_counts()
    {
        await using ClassifierChain chain = await StartAsync();
        Assert.Equal(Verdict.None, chain.Classify(_question));
        _second.Verdict = Lte;
        Assert.Equal(Lte, chain.Classify(_question));
        _first.Verdict = Verdict.Keep("test");
        Assert.Equal(_first.Verdict, chain.Classify(_question));
    }

    [Fact]
    public async Task Who_is_waited_for_and_has_no_opinion_lets_the_next_one_answer()
    {
        await using ClassifierChain chain = await StartAsync();
        (_first.Verdict, _second.Verdict) = (Pending, Lte);
        Assert.Equal(Pending, chain.Classify(_question));
        _first.Host!.Answer(_question, Verdict.None);
        Assert.Equal(["pass 1"], _heard);
        Assert.Equal(Lte, chain.Classify(_question, 1));
    }

    [Fact]
    public async Task Other_answers_and_those_of_the_last_one_are_final()
    {
        await using ClassifierChain chain = await StartAsync();
        _first.Host!.Answer(_question, Lte);
        _second.Host!.Answer(_question, Verdict.None);
        _first.Host.Reconsider(AddressRange.All(FlowFamily.IPv4));
        Assert.Equal(["answer Path", "answer None", "reconsider"], _heard);
    }

    void IChainHost.Pass(in FlowQuestion question, int next) => _heard.Add($"pass {next}");

    void IClassifierHost.Answer(in FlowQuestion question, in Verdict verdict) => _heard.Add($"answer {verdict.Kind}");

    void IClassifierHost.Reconsider(in AddressRange range) => _heard.Add("reconsider");

    private async Task<ClassifierChain> StartAsync()
    {
        ClassifierChain chain = new([_first, _second]);
        await chain.StartAsync(this, TestContext.Current.CancellationToken);
        return chain;
    }

    private sealed class Told : IFlowClassifier
    {
        internal Verdict Verdict { get; set; }

        internal IClassifierHost? Host { get; private set; }

        public string Name => "told";

        public ClassifierStatus Status => new(Name, IsWorking: true, "");

        public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken)
        {
            Host = host;
            return ValueTask.CompletedTask;
        }

        public Verdict Classify(in FlowQuestion question) => Verdict;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
