using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace ConntrackStream.Sinks.Tests.Reclassify.External;

/// <summary>Waits for what another process or task does.</summary>
internal static class Eventually
{
    internal static async Task TrueAsync(
        Func<bool> condition, Func<string> state, [CallerArgumentExpression(nameof(condition))] string waitedFor = "")
    {
        long began = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(60))
                Assert.Fail($"not so within 60 s: {waitedFor}\nbut: {state()}");
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }
}
