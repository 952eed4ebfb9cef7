using System.CommandLine;
using System.Text.Json;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Verbs;

/// <summary><c>health</c>: is the running service well? For probes that run a command.</summary>
internal static class HealthVerb
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10); // the service itself gives its pipeline five

    internal static Verb Create(CliContext context, SharedOptions shared)
    {
        FormatOption output = new();
        Option<bool> ready = new("--ready") { Description = "Ask whether the view is proven equal to the kernel's table, too" };
        Verb verb = new("health", "Asks the running service whether it is well, for probes that run a command", """
              conntrack-stream health                  its pipeline takes and answers requests
              conntrack-stream health --ready -o json  and no loss is unrepaired
            Exit codes: 0 well, 1 not well, 3 not running, or not permitted to ask. It waits 10 s for an answer.
            """)
        {
            UsesConfiguration = parsed => parsed.GetValue(shared.Socket) is null,
        };
        verb.Add([output.Option, ready, shared.Socket]);
        verb.SetAction((parsed, cancellation) => RunAsync(
            context, shared.SocketPath(parsed, context), parsed.GetValue(ready), output.IsJson(parsed), cancellation));
        return verb;
    }

    private static async Task<int> RunAsync(
        CliContext context, string socket, bool needsReady, bool isJson, CancellationToken cancellation)
    {
        using CancellationTokenSource patience = new(Patience, context.Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, patience.Token);
        try
        {
            (bool isWell, string answer) = await ApiClient.HealthAsync(socket, "/healthz", both.Token).ConfigureAwait(false);
            if (isWell && needsReady)
                (isWell, answer) = await ApiClient.HealthAsync(socket, "/readyz", both.Token).ConfigureAwait(false);
            CliContext.WriteForWhoReads(() => context.Print(isJson ? answer.Trim() : Text(answer)));
            return isWell ? ExitCode.Done : ExitCode.Failed;
        }
        catch (NoServiceException e)
        {
            context.Fail(e.Message);
            return ExitCode.NotRunning;
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            context.Fail($"the service on {socket} has not answered for {Patience.TotalSeconds} s");
            return ExitCode.Failed;
        }
    }

    private static string Text(string answer)
    {
        using JsonDocument document = JsonDocument.Parse(answer);
        JsonElement root = document.RootElement;
        return root.TryGetProperty("detail", out JsonElement detail) ? $"not well: {detail}" : $"{root.GetProperty("status")}";
    }
}
