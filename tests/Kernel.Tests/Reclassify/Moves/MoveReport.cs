using System.Globalization;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>
/// <c>bench/run moves</c> sets CONNTRACKSTREAM_MOVES (connections of each row) and CONNTRACKSTREAM_MOVES_RESULT (a file for the table).
/// </summary>
internal static class MoveReport
{
    /// <summary>Connections of each row.</summary>
    internal static int Flows(int otherwise) =>
        Environment.GetEnvironmentVariable("CONNTRACKSTREAM_MOVES") is { } flows
            ? int.Parse(flows, CultureInfo.InvariantCulture)
            : otherwise;

    internal static void Add(string row, MoveResult result)
    {
        TestContext.Current.TestOutputHelper!.WriteLine($"{row}: {result}");
        if (Environment.GetEnvironmentVariable("CONNTRACKSTREAM_MOVES_RESULT") is { } file)
            File.AppendAllText(file, $"| {row} | {result} |\n");
    }
}
