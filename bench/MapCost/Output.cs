using System.Text.Json;

namespace ConntrackStream.MapCost;

/// <summary>One line of JSON for each result, on stdout.</summary>
internal static class Output
{
    /// <param name="cost">From the begin of the audit to now.</param>
    /// <param name="table">ms of the part that reads the table.</param>
    /// <param name="map">ms of the part that reads the map.</param>
    public static void Audit(in Cost cost, long? entries, long missed, double table, double map)
    {
        double wall = cost.WallMs, cpu = cost.CpuMs;
        Write(new { wall_ms = wall, cpu_ms = cpu, entries, missed, table_ms = table, map_ms = map });
    }

    public static void Deletes(int count, double wallMs, double cpuMs) =>
        Write(new { deleted = count, wall_us = wallMs * 1000 / count, cpu_us = cpuMs * 1000 / count });

    public static void Memory(long restKib, long peakKib) => Write(new { rest_kib = restKib, peak_kib = peakKib });

    private static void Write(object line) => Console.WriteLine(JsonSerializer.Serialize(line));
}
