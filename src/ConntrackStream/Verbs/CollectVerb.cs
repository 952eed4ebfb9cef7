using System.CommandLine;
using System.Globalization;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Plugins;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Nats;
using ConntrackStream.Sinks.Nats.Collect;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>collect</c>: the records of a fleet, from NATS JetStream or a plug-in's engine to flow logs, one for each host.</summary>
internal static class CollectVerb
{
    private const int Shares = 16;
    private const string Nats = "nats";
    private const long LeastStream = 1 << 20; // what is smaller holds no message, and the server drops each without a word

    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        Option<string> directory = new("--directory")
        {
            Description = "Where the files are: HOST.ndjson, and rotated ones (FlowLog:Rotation); it must exist",
            HelpName = "DIR",
            Required = true,
        };
        Option<string> from = Token("--from", "What to read: nats, or kafka where Plugins:Sinks has its plug-in", Nats, "ENGINE");
        Option<string> share = Share();
        Option<string> name = Token("--name", "Begin of the names of the stream's durable consumers, or name of the consumer "
            + "group; collectors of one name share the work, those of another name get all records again", "collect");
        Option<bool> once = new("--once") { Description = "End when nothing is left in the stream; with code 1 when it cannot be read" };
        Option<bool> create = new("--create-stream") { Description = "Make the stream if there is none for Nats:Subject" };
        Option<string> stream = Token("--stream", "For --create-stream: its name", NewStream.UsualName);
        Option<int> replicas = Replicas();
        Option<TimeSpan> maxAge = MaxAge();
        Option<long> maxBytes = MaxBytes();
        Verb verb = new("collect", "Writes the flow records of many nodes from NATS JetStream to one flow log for each host", """
              conntrack-stream collect --directory /var/log/flows --set Nats:Servers=nats://n1:4222
              conntrack-stream collect --directory /var/log/flows --create-stream --replicas 3 --max-age 7d
              conntrack-stream collect --directory /var/log/flows --share 1/4          the first of four that share the hosts
              conntrack-stream collect --directory /var/log/flows --from kafka --config /etc/conntrack-stream/collect.json
            The keys of Nats (docs/fleet.md) or Plugins:Kafka (docs/kafka.md) say how the servers are reached, those of FlowLog:Rotation
            when files are rotated.
            Signals: SIGTERM and SIGINT end it in order; what is not on disk is delivered again to the next start.
            """)
        {
            UsesConfiguration = static _ => true,
        };
        verb.Add([directory, from, share, name, once, create, stream, replicas, maxAge, maxBytes]);
        verb.Validators.Add(result =>
        {
            Option[] needing = [stream, replicas, maxAge, maxBytes];
            foreach (Option option in needing.Where(option => result.GetResult(option) is { Implicit: false } && !result.GetValue(create)))
                result.AddError($"{option.Name}: only for --create-stream");
            if (result.GetValue(create) && result.GetValue(from) is not (null or Nats))
                result.AddError("--create-stream: only for NATS; Kafka has kafka-topics.sh --create");
        });
        verb.SetAction((parsed, cancellation) =>
        {
            ServiceOptions options = OptionsLoader.Load(shared.Sources(parsed, context));
            (int part, int parts) = ParseShare(parsed.GetValue(share)!) ?? (1, 1);
            CollectOptions collect = new()
            {
                Directory = Path.GetFullPath(parsed.GetValue(directory)!),
                Name = parsed.GetValue(name)!,
                Rotation = options.FlowLog.Rotation,
                Part = part,
                Parts = parts,
                Once = parsed.GetValue(once),
            };
            NewStream? newStream = parsed.GetValue(create)
                ? new NewStream(
                    Given(stream) ? parsed.GetValue(stream) : null, Given(replicas) ? parsed.GetValue(replicas) : null,
                    Given(maxAge) ? parsed.GetValue(maxAge) : null, Given(maxBytes) ? parsed.GetValue(maxBytes) : null)
                : null;
            return RunAsync(
                collect,
                logger => parsed.GetValue(from) is { } engine and not Nats
                    ? PluginSource(engine, options, collect, context.Time, logger)
                    : new NatsSource(options.Modules.Of<NatsOptions>(), collect, newStream, context.Time, logger),
                options, context, cancellation);

            bool Given(Option option) => parsed.GetResult(option) is { Implicit: false };
        });
        return verb;
    }

    private static async Task<int> RunAsync(
        CollectOptions collect, Func<ILogger, ICollectSource> newSource, ServiceOptions options, CliContext context,
        CancellationToken outer)
    {
        using Interruption interruption = new(outer);
        using ILoggerFactory loggers = LoggerFactory.Create(logging =>
        {
            logging.Services.AddSingleton(context.Time); // of the lines
            logging.AddServiceLogging(options.Logging, new ServiceLogging.LevelSwitch(), context.Environment);
        });
        ILogger logger = loggers.CreateLogger("Collect");
        Collector collector = new(newSource(logger), collect, context.Time, logger);
        string? failure = await collector.RunAsync(interruption.Token).ConfigureAwait(false);
        CollectCounters counters = collector.Counters;
        context.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{counters.Records} records in {counters.Messages} messages written; {counters.Copies} copies left out, "
                + $"{counters.Missing} records missing, {counters.Malformed} messages not understood."));
        if (failure is null)
            return ExitCode.Done;
        context.Fail($"--once: the rest cannot be collected: {failure}");
        return ExitCode.Failed;
    }

    /// <exception cref="ConfigurationException">No plug-in has it, or the plug-in cannot be used.</exception>
    private static ICollectSource PluginSource(
        string engine, ServiceOptions options, CollectOptions collect, TimeProvider time, ILogger logger) =>
        PluginModules.Find<ICollectModule>(options, engine, logger, time) is { } found
            ? found.Module.NewSource(found.Options, collect, time, logger)
            : throw new ConfigurationException(
                [$"--from {engine}: no plug-in of {PluginModules.Key} can be collected from so; name it there (docs/kafka.md)"]);

    private static Option<string> Share()
    {
        Option<string> share = new("--share")
        {
            Description = "Which part of the hosts, such as 2/4; parts are 1, 2, 4, 8 or 16, and each part is one collector's",
            HelpName = "N/PARTS",
        };
        share.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: { } text }] && ParseShare(text) is null)
                result.AddError($"--share: '{text}' is not such as 2/4, with 1, 2, 4, 8 or 16 parts");
        });
        share.DefaultValueFactory = static _ => "1/1";
        return share;
    }

    private static (int Part, int Parts)? ParseShare(string text) =>
        text.Split('/') is [{ } first, { } second]
        && int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out int part)
        && int.TryParse(second, NumberStyles.None, CultureInfo.InvariantCulture, out int parts)
        && parts > 0 && Shares % parts == 0 && part >= 1 && part <= parts
            ? (part, parts)
            : null;

    private static Option<string> Token(string option, string description, string byDefault, string valueName = "NAME")
    {
        Option<string> token = new(option) { Description = description, HelpName = valueName, DefaultValueFactory = _ => byDefault };
        token.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: { } text }] && !HostToken.IsPlain(text))
                result.AddError($"{option}: '{text}' has other characters than letters, digits, - and _");
        });
        return token;
    }

    private static Option<int> Replicas() => ValueOption.Of<int>(
        ["--replicas"], "For --create-stream: servers that each have a copy, 1, 3 or 5", "COUNT", 1,
        static (text, out count) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out count) && count is 1 or 3 or 5,
        "1, 3 or 5");

    private static Option<TimeSpan> MaxAge() => ValueOption.Of<TimeSpan>(
        ["--max-age"], "For --create-stream: older records are dropped, such as 7d [no limit]", "DURATION", TimeSpan.Zero,
        DurationText.TryParse, "a duration (7d, 12h, 30m)");

    private static Option<long> MaxBytes() => ValueOption.Of<long>(
        ["--max-bytes"], "For --create-stream: size from which on the oldest records are dropped, such as 100GiB [no limit]", "SIZE", -1,
        static (text, out bytes) => SizeText.TryParse(text, out bytes) && bytes >= LeastStream, "a size from 1 MiB up (100GiB)");
}
