using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.External;
using ConntrackStream.Sinks.Reclassify.Messages;
using ConntrackStream.Sinks.Reclassify.OpenWrt;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;
using ConntrackStream.Sinks.Reclassify.Sets;

namespace ConntrackStream.Sinks.Reclassify.Setup;

/// <summary>
/// From settings to what reclassification works with: paths, classifiers in order (sets, rules, plug-in, program), and the kernel's calls.
/// </summary>
internal sealed class ReclassifySetup
{
    private const string Section = "Reclassify";
    internal const string ClassifierKey = $"{Section}:{nameof(ReclassifyOptions.Classifier)}";

    private readonly ReclassifyOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly List<string> _faults = [];
    private readonly List<string> _notes = [];
    private readonly List<string> _importFaults = [];
    private readonly List<UplinkPath> _paths = [];
    private readonly List<SetRule> _sets = [];
    // of which the position counts from the first of all rules
    private readonly List<(SetRule Rule, ImportedSet Import)> _importedSets = [];
    private readonly List<StaticRule> _rules = [];

    private ReclassifySetup(ReclassifyOptions options, ILoggerFactory loggers)
    {
        _options = options;
        _loggers = loggers;
    }

    /// <param name="plugins">
    /// Null leaves out what is not the service's own code, for verbs that only look: the plug-in and the external program.
    /// </param>
    /// <exception cref="ConfigurationException">With every fault found in paths, sets and the files that are named.</exception>
    /// <exception cref="NetlinkException">Routes and addresses cannot be read.</exception>
    internal static ReclassifyParts Create(
        ReclassifyOptions options, NetworkNamespace networkNamespace, TimeProvider time, ILoggerFactory loggers, IPluginLoader? plugins)
    {
        ReclassifySetup setup = new(options, loggers);
        PathTable paths = setup.ReadPaths();
        setup.ReadSets(paths);
        if (setup._faults.Count > 0)
            throw new ConfigurationException(setup._faults);

        ILogger logger = loggers.CreateLogger<ReclassifySink>();
        foreach (string note in setup._notes)
            logger.ImportNote(note);
        foreach (string fault in setup._importFaults)
            logger.ImportFault(fault);
        if (paths.Paths.Count == 0)
            logger.NoPaths();
        RouteQuestions routes = networkNamespace.Run(static () => new RouteQuestions());
        paths.Follow(routes, time, logger);
        StaticRules? rules = options.RuleFile is null && setup._rules.Count == 0
            ? null
            : new StaticRules(options.RuleFile, setup._rules, name => paths.Find(name) is not null, loggers.CreateLogger<StaticRules>());
        SetRule[] setRules = [.. setup._sets, .. setup._importedSets.Select(set => set.Rule with { Scope = ScopeOf(set.Import, rules) })];
        SetClassifier? sets = setRules.Length == 0
            ? null
            : new SetClassifier(setRules, networkNamespace, options.SetInterval, time, loggers.CreateLogger<SetClassifier>());
        List<IFlowClassifier> classifiers = [.. new IFlowClassifier?[] { sets, rules }.OfType<IFlowClassifier>()];
        if (plugins is not null)
            classifiers.AddRange(setup.Programs(paths, plugins, time));
        return new ReclassifyParts(paths, new ClassifierChain(classifiers), new KernelCalls(networkNamespace), routes)
        {
            Notes = setup._notes,
            Faults = setup._importFaults,
            Sets = sets,
            Rules = rules,
        };
    }

    private static SetScope ScopeOf(ImportedSet set, StaticRules? rules) =>
        new(
            set.Rules,
            (in FlowQuestion question) => rules?.DecidesBefore(question, set.Position) == true,
            set.IsAlwaysThere ? $"{set.Rules[0].Origin}: {set.Set} cannot be looked up" : null);

    private IEnumerable<IFlowClassifier> Programs(PathTable paths, IPluginLoader plugins, TimeProvider time)
    {
        if (_options.Classifier is { } plugIn)
        {
            ILogger logger = _loggers.CreateLogger($"plug-in {plugIn}");
            yield return new GuardedClassifier(plugins.Create<IFlowClassifier>(ClassifierKey, plugIn), time, logger);
        }

        if (_options.External.IsConfigured)
            yield return new ExternalClassifier(
                _options.External, [.. paths.Paths.Select(static path => path.Name)], time, _loggers.CreateLogger<ExternalClassifier>());
    }

    /// <summary>Those of the configuration, and those of mwan3 and pbr that have other names.</summary>
    private PathTable ReadPaths()
    {
        if (!MarkMatch.TryParse(_options.MarkMask, out MarkMatch mask, out string? error) || mask.Value == 0)
            _faults.Add($"{Section}:{nameof(_options.MarkMask)}: {error ?? "must have a bit set"}");
        foreach (string text in _options.Paths)
        {
            if (UplinkPathText.TryParse(text, mask.Value, out UplinkPath? path, out error))
                _paths.Add(path);
            else
                _faults.Add($"{Section}:{nameof(_options.Paths)}: \"{text}\": {error}");
        }

        ReadMwan3();
        ReadPbr();
        if (PathTable.TryCreate(_paths, out PathTable? table, out error))
            return table;
        _faults.Add($"{Section}:{nameof(_options.Paths)}: {error}");
        throw new ConfigurationException(_faults);
    }

    private void ReadMwan3()
    {
        if (_options.Mwan3Config is not { } file || ReadUci(nameof(_options.Mwan3Config), file) is not { } mwan3
            || ReadNetwork() is not { } network)
            return;
        if (Mwan3Config.TryRead(mwan3, network, out ImportedConfig? config, out string? problem))
            Import(config, file);
        else
            _faults.Add($"{Section}:{nameof(_options.Mwan3Config)}: {file} {problem}");
    }

    private void ReadPbr()
    {
        if (_options.PbrConfig is not { } file || ReadUci(nameof(_options.PbrConfig), file) is not { } pbr
            || ReadNetwork() is not { } network)
            return;
        if (PbrConfig.TryRead(pbr, network, out ImportedConfig? config, out string? problem))
            Import(config, file);
        else
            _faults.Add($"{Section}:{nameof(_options.PbrConfig)}: {file} {problem}");
    }

    private UciFile? ReadNetwork()
    {
        if (ReadUci(nameof(_options.NetworkConfig), _options.NetworkConfig) is not { } network)
            return null;
        if (NetworkDevices.WhyOther(network) is not { } problem)
            return network;
        _faults.Add($"{Section}:{nameof(_options.NetworkConfig)}: {_options.NetworkConfig} {problem}");
        return null;
    }

    private UciFile? ReadUci(string key, string path)
    {
        if (UciFile.TryRead(path, out UciFile? file, out string? problem))
            return file;
        _faults.Add($"{Section}:{key}: {problem}");
        return null;
    }

    private void Import(ImportedConfig config, string file)
    {
        foreach (UplinkPath path in config.Paths.Where(path => !_paths.Exists(known => known.Name == path.Name)))
            _paths.Add(path);
        foreach (ImportedSet set in config.Sets)
        {
            if (SetRule.TryParse($"{set.Set}={UplinkPathText.Keep}", out SetRule? rule, out string? error))
                _importedSets.Add((rule with { Path = set.Path }, set with { Position = _rules.Count + set.Position }));
            else
                _importFaults.Add($"{file}: {error}"); // the importer makes none such
        }

        _rules.AddRange(config.Rules);
        _notes.AddRange(config.Notes.Select(note => $"{file}: {note}"));
        _importFaults.AddRange(config.Faults.Select(fault => $"{file}: {fault}"));
    }

    private void ReadSets(PathTable paths)
    {
        List<SetRule> own = [];
        string known = string.Join(", ", paths.Paths.Select(static path => path.Name));
        foreach (string text in _options.Sets)
        {
            if (!SetRule.TryParse(text, out SetRule? rule, out string? error))
                _faults.Add($"{Section}:{nameof(_options.Sets)}: {error}");
            else if (paths.Find(rule.Path) is null)
                _faults.Add($"{Section}:{nameof(_options.Sets)}: \"{text}\": there is no path {rule.Path}; known are {known}");
            else if (own.Find(other => other.Set == rule.Set && other.Directions == rule.Directions) is { } first)
                _faults.Add($"{Section}:{nameof(_options.Sets)}: \"{text}\" never counts: \"{first}\" comes before it");
            else
                own.Add(rule);
        }

        _sets.InsertRange(0, own);
    }
}
