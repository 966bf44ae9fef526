/** A stream of Redis that takes a message as often as it comes. */
module.exports = { open: require("./redis-streams").opens(false) };
