using System.CommandLine;
using System.Text;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Demo.Race;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>demo race</c> on the command line.</summary>
internal static class DemoRaceCommand
{
    private static readonly RaceOptions Defaults = new();

    internal static Verb Create(CliContext context)
    {
        Option<int> rounds = Number(
            "--rounds", "How often connections are closed and the map is cleaned", Defaults.Rounds, 1, RaceOptions.MaxRounds);
        Option<int> connections = Number(
            "--connections", "Connections closed in each round; the pod uses half of their tuples again", Defaults.Connections, 2,
            RaceOptions.MaxConnections);
        Option<int> seed = Number("--seed", "Chooses which tuples are used again", Defaults.Seed, 0, int.MaxValue);
        Option<bool> natural = new("--natural") { Description = "Use tuples again at random moments, not at the worst: cuts become rare" };
        FormatOption output = new();
        Verb verb = new("race", "Runs three ways to clean an eBPF conntrack map over the same real connections, and counts those that each cut", """
              conntrack-stream demo race
              conntrack-stream demo race --rounds 10 --connections 100 --natural
              conntrack-stream demo race -o json 2>/dev/null | jq -r '[.cleaner, .cut] | @tsv'
            The cleaners: the policy agent's snapshot algorithm, the same with two misses, and this service. Needs root and Linux 6.6 (tcx).
            Exit code 0: ours removed every stale entry and cut none; 1 otherwise. docs/safe-deletion.md says what is shown, and how.
            """);
        verb.Add([rounds, connections, seed, natural, output.Option]);
        verb.SetAction(async (parsed, cancellation) =>
        {
            using Interruption interruption = new(cancellation);
            RaceOptions options = new(
                parsed.GetValue(rounds), parsed.GetValue(connections), parsed.GetValue(seed), parsed.GetValue(natural));
            return await RunAsync(context, options, output.IsJson(parsed), interruption.Token).ConfigureAwait(false);
        });
        return verb;
    }

    private static async Task<int> RunAsync(CliContext context, RaceOptions options, bool isJson, CancellationToken cancellation)
    {
        TextWriter progress = TextWriter.Synchronized(context.Error);
        await progress.WriteLineAsync(RaceReport.Terms(options)).ConfigureAwait(false);
        CleanerRace race = new(options, line => progress.WriteLine($"race: {line}"), context.Time);
        RaceResult[] results;
        try
        {
            results = await race.RunAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            context.Fail("interrupted: the race has no result");
            return ExitCode.Failed;
        }

        if (isJson)
            Array.ForEach(results, result => RaceReport.WriteJson(context.Output, result));
        else
            context.Output.Write(Encoding.UTF8.GetBytes(RaceReport.Text(results)));
        return CleanerRace.IsRight(results[^1]) ? ExitCode.Done : ExitCode.Failed;
    }

    private static Option<int> Number(string name, string description, int by, int least, int most) => ValueOption.Of(
        [name], description, "N", by, ValueOption.Number(least, most), $"a number from {least} to {most}");
}
