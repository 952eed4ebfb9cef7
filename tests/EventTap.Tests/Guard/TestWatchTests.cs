using System.Diagnostics;

namespace ConntrackStream.EventTap.Tests.Guard;

/// <summary>A stuck test ends the run, named, and with the places that its threads are at: tried on this program as a child.</summary>
public sealed class TestWatchTests
{
    [Theory]
    [InlineData(nameof(PlantedHangs.In_a_system_call), "PlantedHangs.In_a_system_call()")]
    [InlineData(nameof(PlantedHangs.In_an_await), "awaiting: ConntrackStream.EventTap.Tests.Guard.PlantedHangs+<AwaitForEverAsync>")]
    [InlineData(nameof(PlantedHangs.In_a_deadlock), "PlantedHangs.LockBoth(")]
    [InlineData(nameof(PlantedHangs.In_a_child), "sleep 1000")]
    public async Task A_stuck_test_ends_the_run_named_and_located(string method, string place)
    {
        (int code, string error) = await RunAsync(method);
        Assert.Equal(StuckReport.ExitCode, code);
        Assert.Contains($"STUCK: {typeof(PlantedHangs).FullName}.{method}: ", error, StringComparison.Ordinal);
        Assert.Contains(place, error, StringComparison.Ordinal);
        Assert.Contains("wchan", error, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Error)> RunAsync(string method)
    {
        string program = Path.ChangeExtension(typeof(TestWatchTests).Assembly.Location, extension: null);
        string[] arguments = ["-method", $"{typeof(PlantedHangs).FullName}.{method}"];
        ProcessStartInfo start =
            new(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[PlantedHangAttribute.Variable] = "1";
        using Process child = Process.Start(start)!;
        try
        {
            Task<string> output = child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Task<string> error = child.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await Task.WhenAll(output, error).WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);
            await child.WaitForExitAsync(TestContext.Current.CancellationToken);
            return (child.ExitCode, await error);
        }
        finally
        {
            child.Kill(entireProcessTree: true);
        }
    }
}
