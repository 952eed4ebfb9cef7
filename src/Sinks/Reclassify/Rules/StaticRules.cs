using System.Globalization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Messages;

namespace ConntrackStream.Sinks.Reclassify.Rules;

/// <summary>
/// Decides by prefix, port, protocol and mark: by the rule file, then by the rules taken from mwan3's and pbr's
/// configuration. The first rule that matches counts.
/// </summary>
public sealed class StaticRules : IFlowClassifier
{
    private readonly string? _file;
    private readonly IReadOnlyList<StaticRule> _configured;
    private readonly Func<string, bool> _isPath;
    private readonly ILogger _logger;
    private readonly Lock _reading = new();
    private IClassifierHost? _host;
    private RuleIndex _index;
    private string? _problem; // of the last reading

    /// <param name="file">The rule file; null for none. Read by <see cref="StartAsync"/>.</param>
    /// <param name="configured">Rules to ask after the file's.</param>
    /// <param name="isPath">Whether there is a path of a name.</param>
    /// <param name="logger">Told of every reading.</param>
    public StaticRules(string? file, IReadOnlyList<StaticRule> configured, Func<string, bool> isPath, ILogger logger)
    {
        _file = file;
        _configured = configured;
        _isPath = isPath;
        _logger = logger;
        _index = new RuleIndex(configured);
    }

    public string Name => "rules";

    public QuestionFields Fields => Volatile.Read(ref _index).Fields;

    public ClassifierStatus Status
    {
        get
        {
            int count = Volatile.Read(ref _index).Count;
            string text = string.Create(CultureInfo.InvariantCulture, $"{count} {(count == 1 ? "rule" : "rules")}");
            string? problem = Volatile.Read(ref _problem);
            return new ClassifierStatus(Name, problem is null, problem is null ? text : $"{text}; not read again: {problem}");
        }
    }

    /// <exception cref="InvalidDataException">The file is not root's, cannot be read, or has a wrong line: the message
    /// names key, file and line.</exception>
    public ValueTask StartAsync(IClassifierHost host, CancellationToken cancellationToken)
    {
        _host = host;
        if (_file is not null)
            Read(_file);
        return ValueTask.CompletedTask;
    }

    public Verdict Classify(in FlowQuestion question) => Volatile.Read(ref _index).Classify(question);

    /// <summary>Whether the file's rules, or the first so many of the configured ones, decide over such a flow.</summary>
    internal bool DecidesBefore(in FlowQuestion question, int position)
    {
        RuleIndex index = Volatile.Read(ref _index);
        return index.First(question) < index.Count - _configured.Count + position;
    }

    /// <summary>Reads the file again, if there is one. From any thread.</summary>
    /// <exception cref="InvalidDataException">As at the start. The rules stay as they were, and <see cref="Status"/> tells it.</exception>
    public void Reload()
    {
        if (_file is null)
            return;
        Read(_file);
        _logger.RulesReloaded(_file, Volatile.Read(ref _index).Count - _configured.Count);
        _host?.Reconsider(AddressRange.All(FlowFamily.IPv4));
        _host?.Reconsider(AddressRange.All(FlowFamily.IPv6));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private void Read(string file)
    {
        lock (_reading)
        {
            if (StaticRuleFile.TryRead(file, _isPath, out IReadOnlyList<StaticRule>? rules, out string? problem))
                Volatile.Write(ref _index, new RuleIndex(rules.Concat(_configured)));
            Volatile.Write(ref _problem, problem);
            if (problem is not null)
                throw new InvalidDataException($"Reclassify:RuleFile: {problem}");
        }
    }
}
