using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Reading;

namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>Members of a list:set: other sets, tried in order (list_set_ktest in ip_set_list_set.c). A set of more dimensions than the rule
/// names is passed over. So is a list: the kernel has none in a list, but what was read of two sets at different times may
/// say so, even of each other.</summary>
internal sealed class IpsetList(IReadOnlyList<IpsetListMember> members, SetClock clock) : SetContent
{
    internal override string Type => IpsetShape.List;

    internal override int Dimensions => 1;

    internal override int Count => members.Count;

    internal IReadOnlyList<IpsetListMember> Members => members;

    internal override bool Find(in FlowQuestion question, SetDirections directions, uint now, out uint deadline)
    {
        for (int i = 0; i < members.Count; i++)
        {
            IpsetListMember member = members[i];
            if (SetClock.HasPassed(member.Deadline, now)
                || member.Source.Content is not IpsetMembers content
                || !directions.Cover(content.Dimensions)
                || !content.Find(question, directions, now, out deadline))
                continue;
            if (deadline == 0 || (member.Deadline != 0 && member.Deadline < deadline))
                deadline = member.Deadline;
            return true;
        }

        deadline = 0;
        return false;
    }

    /// <summary>ipset's own TEST of a list asks for a set's name, so each set is asked.</summary>
    internal Errno Test(SetLink link, in FlowQuestion question, SetDirections directions)
    {
        Errno failed = Errno.ENOENT;
        foreach (IpsetListMember member in members)
        {
            if (SetClock.HasPassed(member.Deadline, clock.Now))
                continue;
            Errno errno = member.Source.TestMembers(link, question, directions);
            if (errno == Errno.None)
                return errno;
            if (errno != Errno.ENOENT)
                failed = errno;
        }

        return failed;
    }
}

/// <param name="Deadline">Of its being in the list.</param>
internal sealed record IpsetListMember(IpsetSource Source, uint Deadline);

/// <summary>Collects a list's members while it is read.</summary>
internal sealed class IpsetListBuilder(Func<string, IpsetSource> memberOf, SetClock clock)
{
    private readonly List<IpsetListMember> _members = [];

    internal void Add(in IpsetElement element, uint now)
    {
        uint deadline = element.Timeout == 0 ? 0 : SetClock.After(now, TimeSpan.FromSeconds(element.Timeout));
        _members.Add(new IpsetListMember(memberOf(Encoding.UTF8.GetString(element.Name)), deadline));
    }

    internal IpsetList Build(IpsetList? before, GainLog gains)
    {
        uint now = clock.Now;
        bool gained = _members.Exists(member => before is null
            || !before.Members.Any(old => old.Source == member.Source && !SetClock.HasPassed(old.Deadline, now)));
        if (gained)
            gains.AddAll();
        return new IpsetList(_members, clock);
    }
}
