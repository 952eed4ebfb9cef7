using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.Service.Output;

/// <summary>
/// A CPU's counters as <c>conntrack -S</c> 1.4.7 prints them, trailing blank included; what the kernel leaves out is left out.
/// </summary>
internal static class CpuStatsText
{
    /// <summary>As <c>conntrack -S expect</c> prints them.</summary>
    internal static string Format(in ExpectationCpuStats stats) => string.Create(
        CultureInfo.InvariantCulture,
        $"cpu={stats.Cpu,-4}\texpect_new={stats.New} expect_create={stats.Create} expect_delete={stats.Delete} ");

    internal static string Format(in ConntrackCpuStats stats)
    {
        StringBuilder line = new();
        line.Append(CultureInfo.InvariantCulture, $"cpu={stats.Cpu,-4}\t");
        Append("searched", stats.Searched);
        Append("found", stats.Found);
        Append("new", stats.New);
        Append("invalid", stats.Invalid);
        Append("ignore", stats.Ignore);
        Append("delete", stats.Delete);
        Append("delete_list", stats.DeleteList);
        Append("insert", stats.Insert);
        Append("insert_failed", stats.InsertFailed);
        Append("drop", stats.Drop);
        Append("early_drop", stats.EarlyDrop);
        Append("error", stats.Error);
        Append("search_restart", stats.SearchRestart);
        Append("clash_resolve", stats.ClashResolve);
        Append("chaintoolong", stats.ChainTooLong);
        return line.ToString();

        void Append(string name, uint? value)
        {
            if (value is { } number)
                line.Append(CultureInfo.InvariantCulture, $"{name}={number} ");
        }
    }
}
